// Rules and packets drawn from seeds, in podnet and in the real kernel: what the programs print, every counter of every rule, and the flows
// that are left. run.js starts it in namespaces of its own.
import { settle } from '../../src/sim/sim.ts';
import { drawRules, OPEN, PLACES, type Place } from './draw-rules.ts';
import type { Said } from './orders.ts';
import { agentsFor, build, clear, newRealWorld, order, type RealWorld } from './real.ts';
import { blueprint, type PortNames, switchLines } from './rebuild.ts';
import { newRow } from './row.ts';
import { say } from './say.ts';

/** What no two runs share: times, and numbers that are made up. */
const plain = (text: string): string =>
  text
    .replace(/^# (Generated|Completed|Warning).*\n/gm, '')
    .replace(/time=[\d.]+ ms/g, 'time=T')
    .replace(/^rtt .*\n/gm, '')
    .replace(/, time \d+ms/g, '')
    .replace(/(, |^)pipe \d+\n?/gm, '')
    .replace(/ {2}[\d.]+ ms/g, '  T')
    .replace(/^conntrack v.*\n/gm, '');

/** Ports that askers have, but for those that traceroute asks for. */
const isAskers = (port: number): boolean => port >= 32_768 && port <= 60_999 && (port < 33_434 || port > 33_500);

/** Whose port a flow began with, should it have been drawn out of traceroute's. */
const asker = (line: string): string | undefined => {
  const port = / sport=(\d+)/.exec(line)?.[1];
  return Number(port) >= 32_768 ? port : undefined;
};

/** Flows without their time and the numbers of those who asked. */
const flows = (text: string): string =>
  plain(text)
    .split('\n')
    .filter(Boolean)
    .map(l =>
      l
        .replace(/^(\S+ +\d+) \d+ /, '$1 ')
        .replace(/ id=\d+/g, ' id=N')
        .replace(/ ([sd]port)=(\d+)/g, (m, w, n) => (n === asker(l) || isAskers(Number(n)) ? ` ${w}=N` : m)),
    )
    .sort()
    .join('\n');

const LOOKS: { argv: string[]; as: (text: string) => string }[] = [
  { argv: ['iptables-save', '-c'], as: plain },
  { argv: ['conntrack', '-L'], as: flows },
  { argv: ['ipset', 'save', '-s'], as: text => text.replace(/^create .*\n/gm, '') },
];

export async function compareRules(world: RealWorld, seed: number): Promise<string[]> {
  const d = drawRules(seed);
  const { places, segments } = newRow(seed);
  const differences: string[] = [];
  for (const { at, argv } of d.setup) say(places.get(at)!, { argv, stdin: '' });
  const names = new Map([...places].map(([name, ns]) => [ns, `z${PLACES.indexOf(name) + 1}`] as const));
  const agents = agentsFor(world, PLACES.length + 1);
  await clear(world);
  const ports: PortNames = new Map();
  const switches = switchLines(segments, names, ports);
  const plans = [...places.values()].map(ns => blueprint(names.get(ns)!, ns, names, ports));
  await build(world, switches, [...segments.map((_, i) => `sw${i}`), ...ports.values()], plans);
  const agentAt = (at: Place) => agents.find(a => a.name === names.get(places.get(at)!))!;
  const list = (['tcp', 'udp'] as const).map(proto => ({ name: 'server', proto, address: '0.0.0.0', port: OPEN[proto], mute: true }));
  const unserved = await order(agentAt('server'), { do: 'serve', list });
  if (unserved) throw new Error(unserved);
  const both = async (at: Place, argv: string[], stdin = ''): Promise<[theirs: Said, ours: Said]> => {
    const [theirs] = await order<Said[]>(agentAt(at), { do: 'say', commands: [{ argv, stdin }] });
    const ours = say(places.get(at)!, { argv, stdin });
    settle(places.get(at)!.kernel.sim, 10); // what is on its way when a program ends
    return [theirs, ours];
  };
  const compare = (what: string, theirs: string, ours: string) => {
    if (theirs === ours) return;
    const [a, b] = [theirs.split('\n'), ours.split('\n')];
    const lines = [...a.filter(l => !b.includes(l)).map(l => `real:   ${l}`), ...b.filter(l => !a.includes(l)).map(l => `podnet: ${l}`)];
    differences.push(`${what}\n    ${lines.slice(0, 8).join('\n    ')}`);
  };
  for (const { at, argv, stdin } of d.traffic) {
    const [theirs, ours] = await both(at, argv, stdin);
    compare(
      `${at}# ${argv.join(' ')}`,
      `${plain(theirs.out)}${plain(theirs.err)}exit ${theirs.code}`,
      `${plain(ours.out)}${plain(ours.err)}exit ${ours.code}`,
    );
  }
  for (const at of PLACES)
    for (const { argv, as } of LOOKS) {
      const [theirs, ours] = await both(at, argv);
      compare(`${at}# ${argv.join(' ')}`, as(theirs.out), as(ours.out));
    }
  await order(agentAt('server'), { do: 'serve', list: [] });
  return differences;
}

async function main(): Promise<void> {
  const [agentFile, first, count, what] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4]), process.argv[5]];
  const world = newRealWorld(agentFile);
  const totals = { seeds: 0, differ: 0 };
  for (let seed = first; seed < first + count; seed++) {
    let differences: string[];
    try {
      differences = await compareRules(world, seed);
    } catch (e) {
      differences = [(e as Error).message];
    }
    totals.seeds++;
    if (!differences.length) continue;
    totals.differ++;
    const d = drawRules(seed);
    const text = [...(what === 'all' ? d.setup : []), ...d.traffic].map(s => `  ${s.at}# ${s.argv.join(' ')}\n`);
    console.log(`seed ${seed}\n${text.join('')}  ${differences.join('\n  ')}`);
  }
  console.log(`${totals.seeds} drawings, ${totals.differ} differ`);
  process.exit(totals.differ ? 1 : 0);
}

void main();
