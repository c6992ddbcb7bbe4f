const fs = require('node:fs');
const { dirname, resolve } = require('node:path');

const imports = file =>
  [...fs.readFileSync(file, 'utf8').matchAll(/^(?:import|export) (?!type )[^;]*?from '(\.[^']+)'/gm)].map(m =>
    resolve(dirname(file), m[1]),
  );

const paths = list => new Set(list.map(f => resolve(__dirname, f)));

// Tables of programs: a cluster runs a few of them. Their values are loaded when they are first asked for.
const tables = paths([
  'src/userland/net/programs.ts',
  'src/userland/netfilter/programs.ts',
  'src/userland/coreutils/programs.ts',
  'src/userland/servers/programs.ts',
  'src/userland/sh/programs.ts',
  'src/addons/programs.ts',
]);
// Modules that few clusters need: whoever imports them gets them when it first calls.
const late = paths([
  'src/apiserver/admission/policies/compile.ts',
  'src/apiserver/admission/policies/type-check.ts',
  'src/apiserver/admission/policies/validating.ts',
  'src/apiserver/bootstrap-rbac.ts',
  'src/apiserver/custom/rules.ts',
  'src/apiserver/kinds/custom-rule-validation.ts',
  'src/apiserver/http/request.ts',
  'src/cli/kept.ts',
  'src/cluster/host/machine.ts',
  'src/cluster/host/manifest-text.ts',
  'src/cni/programs/table.ts',
  'src/coredns/program.ts',
  'src/kube-proxy/config-text.ts',
  'src/kube-proxy/ipvs/proxier.ts',
  'src/kube-proxy/nftables/proxier.ts',
  'src/kubectl/request-log.ts',
  'src/linux/netfilter/nft/commands.ts',
]);

/** The modules that `files` load before they do anything: what they import by statement, and so on; not what is `known`, nor what is late. */
function loadedBy(files, known = new Set()) {
  const seen = new Set();
  const todo = [...paths(files)];
  for (let file = todo.pop(); file !== undefined; file = todo.pop()) {
    if (seen.has(file) || known.has(file)) continue;
    seen.add(file);
    if (!tables.has(file)) todo.push(...imports(file).filter(f => !late.has(f)));
  }
  return seen;
}

// Most commands are a `get`: what it needs is one file, for each file costs more to find and to open than its code to read.
const get = loadedBy(['src/cli/kubectl.ts', 'src/kubectl/verbs/get.ts']);
// What stands behind the API, and then what makes a cluster of it, are a file each as well.
const api = loadedBy(['src/apiserver/server.ts']);
const engine = loadedBy(['src/cluster/engine.ts']);
const entries = paths(['src/cli/kubectl.ts']);

// What several rows need lies with the engine, but shells and what every shell calls are a file of their own.
const rows = new Map();
for (const table of tables)
  for (const row of imports(table)) for (const file of loadedBy([row], engine)) rows.set(file, (rows.get(file) ?? 0) + 1);
const shared = [...rows.keys()].filter(file => rows.get(file) > 1);
const needing = (room, others) => new Set(shared.filter(f => !others.has(f) && [...loadedBy([f], engine)].some(g => room.test(g))));
const shells = needing(/userland.(sh|coreutils)./, new Set());
const addons = needing(/src.addons./, shells);
for (const file of shared) if (!shells.has(file) && !addons.has(file)) engine.add(file);

/**
 * Imports of what is late become calls that load the module, and properties that name one become getters. What would be evaluated when the
 * importer is itself loaded is an error here: it would load everything after all.
 */
const lateImports = {
  name: 'late-imports',
  transform(code, id) {
    const isLate = file => late.has(file) || (tables.has(id) && !engine.has(file));
    if (!(engine.has(id) || api.has(id) || get.has(id)) || !imports(id).some(isLate)) return null;
    const names = new Map();
    const edits = [];
    const program = this.parse(code, { lang: 'ts' });
    for (const node of program.body) {
      if (node.type !== 'ImportDeclaration' || node.importKind === 'type' || !node.source.value.startsWith('.')) continue;
      if (!isLate(resolve(dirname(id), node.source.value))) continue;
      for (const s of node.specifiers) {
        if (s.importKind === 'type') continue;
        // Undeclared on purpose: the chunk's text gets a plain require in its place.
        const module = `$loadNow(() => import(${JSON.stringify(node.source.value)}))`;
        names.set(s.local.name, s.type === 'ImportSpecifier' ? `${module}.${s.imported.name}` : module);
      }
      edits.push([node.start, node.end, '']);
    }
    const visit = (node, property, inFunction) => {
      if (!node || typeof node !== 'object') return;
      if (Array.isArray(node)) {
        for (const n of node) visit(n, property, inFunction);
        return;
      }
      if (typeof node.type !== 'string' || /^(Import|TS)/.test(node.type)) return;
      if (node.type === 'Identifier') {
        if (!names.has(node.name)) return;
        if (property) property.lazy = true;
        else if (!inFunction) throw new Error(`${id}: ${node.name} is evaluated when the module is loaded`);
        edits.push([node.start, node.end, names.get(node.name)]);
        return;
      }
      if (node.type === 'Property' && node.kind === 'init' && !node.method) {
        const own = { lazy: false };
        visit(node.value, own, inFunction);
        if (!own.lazy) return;
        const key = code.slice(node.key.start, node.key.end);
        if (node.shorthand) edits.splice(-1, 1, [node.start, node.end, `get ${key}() { return ${names.get(node.value.name)}; }`]);
        else edits.push([node.start, node.value.start, `get ${key}() { return `], [node.value.end, node.end, '; }']);
        return;
      }
      const isFunction = /Function/.test(node.type);
      for (const [key, child] of Object.entries(node)) {
        if (key === 'property' && node.type === 'MemberExpression' && !node.computed) continue;
        visit(child, isFunction ? null : property, inFunction || isFunction);
      }
    };
    visit(program.body, null, false);
    let out = code;
    for (const [start, end, text] of edits.sort((a, b) => b[0] - a[0] || b[1] - a[1])) out = out.slice(0, start) + text + out.slice(end);
    return { code: out, map: null };
  },
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle)) {
      if (chunk.type !== 'chunk') continue;
      chunk.code = chunk.code.replace(
        /\$loadNow\(\(\)=>Promise\.resolve\(\)\.then\(\(\)=>(require\("[^"]+"\))\)(?:\.then\((\w+)=>\2(\.\w+)\))?\)/g,
        (_, module, __, part) => module + (part ?? ''),
      );
      if (chunk.code.includes('$loadNow(')) throw new Error(`${chunk.fileName}: a late import of what is no chunk`);
    }
  },
};

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

// A chunk lies there as the function that load.ts calls.
const functions = {
  name: 'functions',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle))
      if (chunk.type === 'chunk' && !chunk.isEntry)
        chunk.code = `(function (exports, require, module, __filename, __dirname) {${chunk.code}\n})`;
  },
};

// Split CommonJS chunks: a command loads the chunks of its own verb and nothing else (start-up is most of a short command's time).
const app = {
  input: { podnet: 'src/cli/podnet.ts', kubectl: 'src/cli/kubectl.ts' },
  platform: 'node',
  plugins: [lateImports, ascii, functions],
  output: {
    dir: 'dist',
    format: 'cjs',
    cleanDir: true,
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    codeSplitting: {
      // A group takes what its modules import along, as far as no group of higher priority has it.
      groups: [
        { name: 'yaml', test: /node_modules.js-yaml/, priority: 6 },
        { name: 'get', test: id => get.has(id) && !entries.has(id), priority: 5 },
        { name: 'api', test: id => api.has(id) && !get.has(id), priority: 4 },
        { name: 'engine', test: id => engine.has(id) && !get.has(id) && !api.has(id), priority: 3 },
        { name: 'shell', test: id => shells.has(id), priority: 2 },
        { name: 'addons', test: id => addons.has(id), priority: 1 },
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
