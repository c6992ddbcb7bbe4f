#!/usr/bin/env node
require('../dist/code-cache.js').useCodeCache(`${__dirname}/../dist`);
require('../dist/kubectl.js');
