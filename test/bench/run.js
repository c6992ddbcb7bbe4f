// What a command costs, as ratios measured side by side in one run. `npm run bench [-- ROUNDS]`; build first.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const root = join(__dirname, '../..');
const rounds = Number(process.argv[2] ?? 15);
const home = fs.mkdtempSync(join(tmpdir(), 'podnet-bench-'));
const env = { ...process.env, PODNET_HOME: join(home, 'podnet'), PODNET_SEED: '1' };
delete env.NODE_EXTRA_CA_CERTS;

function run(argv, extra = {}) {
  const start = process.hrtime.bigint();
  const r = spawnSync(process.execPath, argv, { env: { ...env, ...extra }, cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 });
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  if (r.status !== 0) throw new Error(`node ${argv.join(' ')}: exit ${r.status}: ${r.stderr.slice(0, 500)}`);
  return { ms, out: r.stdout };
}

const median = list => [...list].sort((a, b) => a - b)[list.length >> 1];
const kubectl = (...args) => [join(root, 'bin/kubectl.js'), ...args];
const podnet = (...args) => [join(root, 'bin/podnet.js'), ...args];

/** Each round runs every contender once, so that a slow moment of the machine falls on all of them. */
function sideBySide(contenders) {
  const times = Object.fromEntries(Object.keys(contenders).map(k => [k, []]));
  for (let i = 0; i < rounds; i++) for (const [name, argv] of Object.entries(contenders)) times[name].push(run(argv).ms);
  return Object.fromEntries(Object.entries(times).map(([k, v]) => [k, median(v)]));
}

function manifests(services, pods) {
  const items = [];
  for (let i = 0; i < services; i++) {
    const name = `svc-${String(i).padStart(5, '0')}`;
    const labels = { app: name };
    items.push({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    });
    for (let k = 0; k < pods / services; k++) {
      items.push({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `${name}-${k}`, labels },
        spec: { containers: [{ name: 'c', image: 'registry.k8s.io/pause:3.10', ports: [{ containerPort: 8080 }] }] },
      });
    }
  }
  const file = join(home, `world-${services}-${pods}.json`);
  fs.writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  return file;
}

/**
 * The real kube-proxy on as many Services, in the same run: `script` is a program that takes numbers of Services and prints a line of JSON for
 * each mode, with what it has measured.
 */
function realKubeProxy(script) {
  if (!script) {
    console.log('the real kube-proxy: skipped, PODNET_BENCH_KUBE_PROXY names no program that measures it');
    return;
  }
  const r = spawnSync(script, ['1000'], { encoding: 'utf8', timeout: 600_000, maxBuffer: 1 << 26 });
  for (const text of r.stdout.split('\n').filter(l => l.startsWith('{'))) {
    const { mode, services, ...figures } = JSON.parse(text);
    const words = Object.entries(figures).filter(([, v]) => typeof v === 'number');
    console.log(`${`real, ${mode}, ${services} Services`.padEnd(34)} ${words.map(([k, v]) => `${k} ${Number(v.toFixed(3))}`).join(', ')}`);
  }
  if (r.status !== 0) console.log(`the real kube-proxy: ${(r.error?.message ?? r.stderr).trim().split('\n').pop()}`);
}

try {
  run(podnet('apply', '-f', join(root, 'manifests/shop.yaml')));
  run(kubectl('get', 'pods'));
  const base = sideBySide({
    'bare node': ['-e', '0'],
    'get svc': kubectl('get', 'svc'),
    'get pods -o wide': kubectl('get', 'pods', '-o', 'wide'),
    'exec … curl': kubectl('exec', 'deploy/frontend', '--', 'curl', '-s', 'http://cart/'),
  });
  const goals = { 'get svc': 1.45, 'exec … curl': 2.5 };
  for (const [name, ms] of Object.entries(base)) {
    const goal = goals[name] ? `  (goal ${goals[name]})` : '';
    console.log(`${name.padEnd(34)} ${ms.toFixed(1).padStart(8)} ms  ${(ms / base['bare node']).toFixed(2)} x bare node${goal}`);
  }
  let kept = 0;
  for (const e of fs.readdirSync(join(home, 'podnet/state'), { recursive: true, withFileTypes: true }))
    if (e.isFile()) kept += fs.statSync(join(e.parentPath ?? e.path, e.name)).size;
  console.log(`${"the shop's session".padEnd(34)} ${(kept / 1024).toFixed(0).padStart(8)} kB`);
  const big = manifests(200, 1000);
  const first = median([0, 1, 2].map(() => run(podnet('--with', big, 'get', 'svc')).ms));
  console.log(`${'1,000 pods + 200 Services'.padEnd(34)} ${first.toFixed(0).padStart(8)} ms  from nothing to the first answer (goal 1000)`);
  for (const part of ['inside', 'scale']) {
    const bundle = ['--platform', 'node', '--format', 'cjs', '--dir', join(home, part)];
    run([join(root, 'node_modules/rolldown/bin/cli.mjs'), join(__dirname, `${part}.ts`), ...bundle]);
    process.stdout.write(run(['--expose-gc', '--max-old-space-size=4096', join(home, part, `${part}.js`)]).out);
  }
  realKubeProxy(process.env.PODNET_BENCH_KUBE_PROXY);
} finally {
  fs.rmSync(home, { recursive: true, force: true });
}
