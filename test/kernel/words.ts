// Command lines drawn from seeds, given to podnet's iptables and ipset and to the real ones in an empty network namespace: the same text, the
// same exit code, the same rules afterwards. run.js starts it in namespaces of its own.
import { MATCHES } from '../../src/linux/netfilter/matches.ts';
import { TARGETS } from '../../src/linux/netfilter/targets.ts';
import { drawWords, FIRST, LAST, type Line, SETS } from './draw-words.ts';
import type { Said } from './orders.ts';
import { agentsFor, newRealWorld, order, type RealWorld } from './real.ts';
import { newPlace, say } from './say.ts';

/** What no two runs share: dates, and numbers that the kernel makes up. */
const plain = (text: string): string =>
  text
    .replace(/^# (Generated|Completed) .*\n/gm, '')
    .replace(/ initval 0x[0-9a-f]+/g, '')
    .replace(/^Size in memory: .*$/gm, '')
    .replace(/^((?:ipv[46] +\d+ +)?\w+ +\d+ )\d+ /gm, '$1') // how long a flow still lives
    .replace(/ id=\d{6,}/g, '');

/** Flows are listed as their hashes lie. */
const inOrder = (line: Line, text: string): string =>
  line.argv[0] === 'conntrack' ? plain(text).split('\n').sort().join('\n') : plain(text);

const same = (line: Line, a: Said, b: Said): boolean =>
  a.code === b.code && inOrder(line, a.out) === inOrder(line, b.out) && plain(a.err) === plain(b.err);

const real = (world: RealWorld, lines: Line[]): Promise<Said[]> => order<Said[]>(agentsFor(world, 1)[0], { do: 'say', commands: lines });

const EMPTY: Line[] = [
  ['nft', 'flush', 'ruleset'],
  ['ipset', 'destroy'],
  ['conntrack', '-F'],
].map(argv => ({ argv, stdin: '' }));

/** Extensions that this kernel or its tools do not have. */
async function missing(world: RealWorld): Promise<Set<string>> {
  const out = new Set<string>();
  const rows = [...MATCHES.map(m => ['-m', m.name]), ...TARGETS.map(t => ['-j', t.name])];
  const line = (words: string[], row: string[]): Line => ({
    argv: ['iptables', '-t', 'raw', '-A', 'PREROUTING', ...words, ...row],
    stdin: '',
  });
  const said = await real(
    world,
    rows.map(row => line([], row)),
  );
  said.forEach((s, i) => {
    if (/missing kernel module|No such file or directory/.test(s.err)) out.add(rows[i][1]);
  });
  const sets = Object.keys(SETS).map(type => ({
    argv: [
      'ipset',
      'create',
      't',
      type,
      ...(type.startsWith('bitmap:port') ? ['range', '0-9'] : type.startsWith('bitmap') ? ['range', '10.0.0.0/24'] : []),
    ],
    stdin: '',
  }));
  for (const line of sets) {
    const [s] = await real(world, [line, { argv: ['ipset', 'destroy', 't'], stdin: '' }]);
    if (s.code) out.add(line.argv[3]);
  }
  return out;
}

function tell(line: Line, theirs: Said, ours: Said): string {
  const show = (s: Said) =>
    `      exit ${s.code}\n${[...plain(s.out).split('\n'), ...plain(s.err).split('\n')]
      .filter(Boolean)
      .map(l => `      ${l}\n`)
      .join('')}`;
  const [a, b] = [theirs, ours].map(s => plain(s.out).split('\n'));
  if (a.length > 12 || b.length > 12) {
    const at = a.findIndex((l, i) => l !== b[i]);
    return `  ${JSON.stringify(line.argv.join(' '))}\n    real:   ${a[at]}\n    podnet: ${b[at]}\n`;
  }
  return `  ${JSON.stringify(line.argv.join(' '))}\n    real\n${show(theirs)}    podnet\n${show(ours)}`;
}

async function main(): Promise<void> {
  const [agentFile, first, count, what] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4]), process.argv[5]];
  const world = newRealWorld(agentFile);
  const without = await missing(world);
  console.log(`not in this kernel: ${[...without].sort().join(' ')}`);
  const totals = { seeds: 0, lines: 0, differ: 0 };
  for (let seed = first; seed < first + count; seed++) {
    const drawn = drawWords(seed, what, without);
    const ns = newPlace(seed);
    // A line that the two take differently would make all after it differ: the first difference of a drawing is told, the line left out.
    let lines = [...FIRST, ...drawn, ...LAST];
    await real(world, EMPTY);
    const theirs = await real(world, lines);
    lines.forEach((line, i) => {
      const ours = say(ns, line);
      totals.lines++;
      if (same(line, ours, theirs[i])) return;
      totals.differ++;
      console.log(`seed ${seed}\n${tell(line, theirs[i], ours)}`);
      if ((ours.code === 0) !== (theirs[i].code === 0)) lines = [];
    });
    totals.seeds++;
  }
  console.log(`${totals.seeds} drawings, ${totals.lines} command lines, ${totals.differ} differ`);
  process.exit(totals.differ ? 1 : 0);
}

void main();
