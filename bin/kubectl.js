#!/usr/bin/env node
require('../dist/kubectl.js');
