const fs = require('node:fs');
const { dirname, resolve } = require('node:path');

/** The modules that `files` load before they do anything: what they import by statement, and so on. */
function loadedBy(files) {
  const seen = new Set();
  const todo = files.map(f => resolve(__dirname, f));
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const m of fs.readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'/gm))
      todo.push(resolve(dirname(file), m[1]));
  }
  return seen;
}

// Most commands are a `get`: what it needs is one file, for each file costs more to find and to open than its code to read.
const get = loadedBy(['src/cli/kubectl.ts', 'src/kubectl/verbs/get.ts']);
// What stands behind the API, and then what makes a cluster of it, are a file each as well.
const api = loadedBy(['src/apiserver/server.ts']);
const engine = loadedBy(['src/cluster/engine.ts']);
const entries = new Set(['src/cli/kubectl.ts'].map(f => resolve(__dirname, f)));

// One letter that is not ASCII makes V8 keep a whole file in two bytes a letter, and reading it slow.
const ascii = {
  name: 'ascii',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      chunk.code = chunk.code.replace(/[^\0-\x7f]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
    }
  },
};

// Split CommonJS chunks: a command loads the chunks of its own verb and nothing else (start-up is most of a short command's time).
const app = {
  input: { podnet: 'src/cli/podnet.ts', kubectl: 'src/cli/kubectl.ts' },
  platform: 'node',
  plugins: [ascii],
  output: {
    dir: 'dist',
    format: 'cjs',
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting: {
      groups: [
        { name: 'yaml', test: /node_modules.js-yaml/, priority: 2 },
        { name: 'get', test: id => get.has(id) && !entries.has(id), priority: 1 },
        { name: 'api', test: id => api.has(id) && !get.has(id), priority: 1 },
        { name: 'engine', test: id => engine.has(id) && !get.has(id) && !api.has(id), priority: 1 },
      ],
    },
    // Names stay, for the sake of stack traces.
    minify: { compress: true, mangle: false, codegen: true },
  },
};

// One file, read by Node's own loader: it loads the others.
const loader = {
  input: 'src/cli/load.ts',
  platform: 'node',
  plugins: [ascii],
  output: { file: 'dist/load.js', format: 'cjs', minify: { compress: true, mangle: false, codegen: true } },
};

module.exports = [app, loader];
