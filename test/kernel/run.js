// The real kernel as the judge: `npm run kernel [-- SEED [COUNT]]`. Clusters are drawn from seeds; each is built in podnet and again, from
// podnet's own links, routes and rules, out of real network namespaces; the same probes run on both sides. It stops at the first cluster that
// differs (`--all`: goes on). `npm run kernel -- words SEED COUNT [iptables|ipset|nft|conntrack]`: command lines instead, beside the real tools; `rules SEED COUNT`: rules of every
// kind in three machines, and every counter after some packets. Needs Linux, root, iproute2, iptables (nf_tables), nftables, ipset and conntrack; says so and ends well without.
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');

const root = join(__dirname, '../..');
const words = process.argv.slice(2).filter(w => w !== '--all');
const program = ['words', 'rules'].includes(words[0]) ? words.shift() : 'compare';
const [seed, count] = [Number(words[0] ?? 1), Number(words[1] ?? 50)];

const UNSHARE = ['--mount', '--net', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Why it cannot be done here, or null. */
function missing() {
  if (process.platform !== 'linux') return 'this is not Linux';
  if (process.getuid() !== 0) return 'network namespaces need root';
  for (const tool of ['unshare', 'ip', 'bridge', 'nft', 'iptables-nft-restore', 'ip6tables-nft-restore', 'ipset', 'conntrack'])
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) return `there is no ${tool}`;
  const tried = inside('ip netns add t && ip link add v type veth peer name w netns t && ip netns exec t nft add table inet t');
  return tried.status === 0 ? null : `the kernel does not let us: ${String(tried.stderr).trim()}`;
}

const inside = script => spawnSync('unshare', [...UNSHARE, 'sh', '-c', `mount -t tmpfs tmpfs /run && ${script}`]);

const why = missing();
if (why) {
  console.log(`skipped: ${why}`);
  process.exit(0);
}
const ipip = inside('ip link add t type ipip remote 192.0.2.1 local 192.0.2.2').status === 0;
if (!ipip && program === 'compare') console.log('IP-in-IP is not in this kernel: clusters that have it are drawn with VXLAN');
const out = fs.mkdtempSync(join(tmpdir(), 'podnet-kernel-'));
let status = 2;
try {
  for (const entry of [program, 'agent']) {
    const args = [join(__dirname, `${entry}.ts`), '--platform', 'node', '--format', 'cjs', '--dir', join(out, entry)];
    const r = spawnSync(process.execPath, [join(root, 'node_modules/rolldown/bin/cli.mjs'), ...args], { encoding: 'utf8' });
    if (r.status !== 0) throw new Error(r.stderr);
  }
  const all = process.argv.includes('--all') ? 'all' : 'first';
  const last = program === 'compare' ? [ipip ? 'ipip' : 'none', all] : [words[2] ?? 'all'];
  const argv = [join(out, 'agent/agent.js'), String(seed), String(count), ...last];
  const main = [process.execPath, '--max-old-space-size=4096', join(out, program, `${program}.js`), ...argv];
  const script = `mount -t tmpfs tmpfs /run && ip link set lo up && exec "$@"`;
  status = spawnSync('unshare', [...UNSHARE, 'sh', '-c', script, 'sh', ...main], { stdio: 'inherit' }).status ?? 2;
} finally {
  fs.rmSync(out, { recursive: true, force: true });
}
process.exit(status);
