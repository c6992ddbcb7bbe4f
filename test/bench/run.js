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

function run(argv, stdout = 'pipe') {
  const start = process.hrtime.bigint();
  const options = { env, cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['pipe', stdout, 'pipe'] };
  const r = spawnSync(process.execPath, argv, options);
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

/** Deployments of one pod in twenty namespaces, and policies of those by labels, namespaces, networks and ports. */
function fleet(workloads, policies) {
  const items = [];
  const pick = (list, n) => list[((n * 2_654_435_761) % 4_294_967_291) % list.length];
  const tiers = ['front', 'back', 'store', 'batch'];
  for (let i = 0; i < 20; i++)
    items.push({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: `ns-${i}`, labels: { env: pick(['live', 'test'], i) } } });
  for (let i = 0; i < workloads; i++) {
    const labels = { app: `w-${i}`, tier: pick(tiers, i), owner: pick(['a', 'b', 'c'], i + 7) };
    const containers = [
      { name: 'c', image: 'registry.k8s.io/pause:3.10', ports: [{ name: 'in', containerPort: pick([80, 8080, 9090], i) }] },
    ];
    const spec = { replicas: 1, selector: { matchLabels: { app: `w-${i}` } }, template: { metadata: { labels }, spec: { containers } } };
    items.push({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: `w-${i}`, namespace: `ns-${i % 20}` }, spec });
  }
  for (let i = 0; i < policies; i++) {
    const peers = [
      { podSelector: { matchLabels: { tier: pick(tiers, i + 1) } } },
      { namespaceSelector: { matchLabels: { env: pick(['live', 'test'], i + 2) } } },
      { ipBlock: { cidr: `${30 + (i % 50)}.${i}.0.0/16` } },
    ].slice(i % 3);
    const spec = { podSelector: { matchLabels: { tier: pick(tiers, i) } }, policyTypes: i % 3 ? ['Ingress'] : ['Ingress', 'Egress'] };
    spec.ingress = [{ from: peers, ports: [{ port: pick([80, 'in', 9090], i) }] }];
    if (i % 3 === 0) spec.egress = [{ to: peers }];
    items.push({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: `p-${i}`, namespace: `ns-${i % 20}` },
      spec,
    });
  }
  const file = join(home, `fleet-${workloads}-${policies}.json`);
  fs.writeFileSync(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
  return file;
}

/** Of scale.ts's lines: by mode and number of Services the milliseconds of a full sync and of one change, and the megabytes. */
function figuresOf(lines) {
  const figures = {};
  const pattern = /^(\w+), (\d+) Services .*? ([\d.]+) ms .*?, (\d+) MB.*\n +([\d.]+) ms/gm;
  for (const [, mode, services, ms, mb, changedMs] of lines.matchAll(pattern))
    figures[`${mode} ${services}`] = { ms: Number(ms), mb: Number(mb), changedMs: Number(changedMs) };
  return figures;
}

/**
 * The real kube-proxy on as many Services, in the same run, in CPU time with that of the tools that it starts: `script` is a program that takes
 * numbers of Services and prints a line of JSON for each mode, with what it has measured. `own`: podnet's figures.
 */
function realKubeProxy(script, own) {
  if (!script) {
    console.log('the real kube-proxy: skipped, PODNET_BENCH_KUBE_PROXY names no program that measures it');
    return;
  }
  const r = spawnSync(script, ['1000'], { encoding: 'utf8', timeout: 600_000, maxBuffer: 1 << 26 });
  for (const text of r.stdout.split('\n').filter(l => l.startsWith('{'))) {
    const { mode, services, ...figures } = JSON.parse(text);
    const mine = own[`${mode} ${services}`];
    const beside = (what, unit, real, podnet) => `${what} ${real.toFixed(2)} ${unit}, podnet's times ${(real / podnet).toFixed(1)}`;
    const full = figures.start_to_synced_cpu_s + figures.start_to_synced_children_cpu_s;
    const parts = [
      beside('first sync', 's', full, mine.ms / 1000),
      beside('one endpoint less', 's', figures.one_endpoint_cpu_s, mine.changedMs / 1000),
      beside('memory', 'MB', figures.rss_mib, mine.mb),
    ];
    console.log(`${`real, ${mode}, ${services} Services`.padEnd(34)} ${parts.join('; ')}`);
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
  const whole = run(podnet('--with', fleet(1000, 200), 'connectivity', '-o', 'json'), 'ignore').ms;
  console.log(`${'1,000 workloads + 200 policies'.padEnd(34)} ${whole.toFixed(0).padStart(8)} ms  from nothing to all verdicts, as JSON`);
  const own = {};
  for (const part of ['inside', 'scale']) {
    const bundle = ['--platform', 'node', '--format', 'cjs', '--dir', join(home, part)];
    run([join(root, 'node_modules/rolldown/bin/cli.mjs'), join(__dirname, `${part}.ts`), ...bundle]);
    const { out } = run(['--expose-gc', '--max-old-space-size=4096', join(home, part, `${part}.js`)]);
    process.stdout.write(out);
    Object.assign(own, figuresOf(out));
  }
  realKubeProxy(process.env.PODNET_BENCH_KUBE_PROXY, own);
} finally {
  fs.rmSync(home, { recursive: true, force: true });
}
