#!/usr/bin/env node
require('../dist/podnet.js');
