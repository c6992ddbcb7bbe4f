#!/usr/bin/env node
const { join } = require('node:path');
require('../dist/load.js').run(join(__dirname, '../dist'), 'kubectl.js', require);
