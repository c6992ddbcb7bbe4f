// ipset(8) 7.17: its commands, options in any place, and messages.
import { restoreSets, setCommand, setReferences, testEntry, VERBS } from '../../linux/netfilter/ipset.ts';
import type { SetResult } from '../../linux/netfilter/ipset-create.ts';
import { entriesOf, entryText, headerText, saveSets, setsInOrder } from '../../linux/netfilter/ipset-text.ts';
import { typeOfSet } from '../../linux/netfilter/ipset-types.ts';
import type { IpSet } from '../../linux/netfilter/types.ts';
import { complain, print, stdinAll } from '../../linux/process.ts';
import type { Netns, Process, Program } from '../../linux/types.ts';
import { absolute, readFile, writeFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { IPSET_HELP } from './usage/ipset.ts';

interface Options {
  words: string[];
  exist: boolean;
  quiet: boolean;
  namesOnly: boolean;
  headersOnly: boolean;
  sorted: boolean;
  output: 'plain' | 'save' | 'xml' | null;
  file: string | null;
  error: string | null;
}

function parse(argv: string[]): Options {
  const o: Options = {
    words: [],
    exist: false,
    quiet: false,
    namesOnly: false,
    headersOnly: false,
    sorted: false,
    output: null,
    file: null,
    error: null,
  };
  for (let i = 0; i < argv.length; i++) {
    const w = argv[i];
    if (w === '-exist' || w === '-!' || w === '--exist') o.exist = true;
    else if (w === '-q' || w === '-quiet' || w === '--quiet') o.quiet = true;
    else if ((w === '-n' || w === '-name') && o.words.length) o.namesOnly = true;
    else if (w === '-t' || w === '-terse') o.headersOnly = true;
    else if (w === '-s' || w === '-sorted') o.sorted = true;
    else if (w === '-r' || w === '-resolve') continue;
    else if (w === '-o' || w === '-output') {
      const mode = argv[++i];
      if (mode === undefined) o.error = 'Missing mandatory argument to option -o';
      else if (mode === 'plain' || mode === 'save' || mode === 'xml') o.output = mode;
      else o.error = `Syntax error: unknown output mode '${mode}'`;
    } else if (w === '-f' || w === '-file') o.file = argv[++i] ?? null;
    else o.words.push(w);
  }
  return o;
}

const ALIASES: Record<string, string> = {
  ...VERBS,
  list: 'list',
  '-L': 'list',
  l: 'list',
  save: 'save',
  '-S': 'save',
  s: 'save',
  restore: 'restore',
  '-R': 'restore',
  r: 'restore',
  test: 'test',
  '-T': 'test',
  t: 'test',
};

/** Roughly what the kernel counts: the head of the set and its entries. */
function memory(ns: Netns, set: IpSet): number {
  const { method, parts } = typeOfSet(set);
  const n = entriesOf(ns, set).length;
  if (method === 'bitmap')
    return set.type === 'bitmap:port' ? 8264 : 72 + Math.ceil(((set.range?.[1] ?? 0) - (set.range?.[0] ?? 0) + 1) / 64) * 8;
  if (method === 'list') return 80 + n * 48;
  return 200 + n * (40 + parts.length * 8) * (set.family === 4 ? 1 : 2);
}

function sortedEntries(ns: Netns, set: IpSet, sorted: boolean): string[] {
  const lines = entriesOf(ns, set).map(e => entryText(ns, set, e));
  return sorted ? lines.sort() : lines;
}

function plain(ns: Netns, set: IpSet, o: Options): string {
  const head = [
    `Name: ${set.name}`,
    `Type: ${set.type}`,
    `Revision: ${typeOfSet(set).revision}`,
    `Header: ${headerText(set)}`,
    `Size in memory: ${memory(ns, set)}`,
    `References: ${setReferences(ns, set.name)}`,
    `Number of entries: ${entriesOf(ns, set).length}`,
  ];
  if (!o.headersOnly) head.push('Members:', ...sortedEntries(ns, set, o.sorted));
  return `${head.join('\n')}\n`;
}

function xmlWords(text: string): string {
  const words = text.split(' ');
  let out = '';
  for (let i = 0; i < words.length; i++) {
    if (['counters', 'comment', 'skbinfo', 'nomatch', 'forceadd'].includes(words[i]) && !words[i + 1]?.startsWith('"'))
      out += `<${words[i]}/>`;
    else if (words[i] === 'comment') {
      out += `<comment>${words.slice(i + 1).join(' ')}</comment>`;
      break;
    } else out += `<${words[i]}>${words[++i]}</${words[i - 1]}>`;
  }
  return out;
}

function xml(ns: Netns, set: IpSet): string {
  const members = entriesOf(ns, set)
    .map(e => {
      const text = entryText(ns, set, e);
      return `<member><elem>${e.text}</elem>${text === e.text ? '' : xmlWords(text.slice(e.text.length + 1))}</member>\n`;
    })
    .join('');
  return `<ipset name="${set.name}">
<type>${set.type}</type>
<revision>${typeOfSet(set).revision}</revision>
<header>${xmlWords(headerText(set))}
<memsize>${memory(ns, set)}</memsize>
<references>${setReferences(ns, set.name)}</references>
<numentries>${entriesOf(ns, set).length}</numentries>
</header>
<members>
${members}</members>
</ipset>
`;
}

const NO_SET = 'The set with the given name does not exist';

function list(p: Process, o: Options, fail: (text: string) => number, mode: 'plain' | 'save' | 'xml'): number {
  const name = o.words[1] ?? null;
  const ns = p.netns;
  if (name !== null && !ns.netfilter.ipsets.has(name)) return fail(NO_SET);
  const sets = setsInOrder(ns).filter(s => name === null || s.name === name);
  let out: string;
  if (o.namesOnly) out = sets.map(s => `${s.name}\n`).join('');
  else if (mode === 'save') out = o.sorted ? sets.map(s => savedSorted(ns, s)).join('') : saveSets(ns, name);
  else if (mode === 'xml') out = `<ipsets>\n${sets.map(s => xml(ns, s)).join('')}</ipsets>\n`;
  else out = sets.map(s => plain(ns, s, o)).join('\n');
  if (o.file !== null) writeFile(p.fs, absolute(o.file, p.cwd), out, p);
  else print(p, out);
  return 0;
}

const savedSorted = (ns: Netns, s: IpSet): string =>
  `create ${s.name} ${s.type} ${headerText(s)}\n${sortedEntries(ns, s, true)
    .map(e => `add ${s.name} ${e}\n`)
    .join('')}`;

export const ipsetProgram = (version: string): Program =>
  function* ipset(p: Process): Co<number> {
    const o = parse(p.argv.slice(1));
    const say = (text: string) => {
      if (!o.quiet) complain(p, `ipset v${version}: ${text}\n`);
    };
    const fail = (text: string, usage = false): number => {
      say(usage ? `${text}\nTry \`ipset help' for more information.` : text);
      return usage ? 2 : 1;
    };
    const outcome = (r: SetResult): number => (r ? fail(r.error, r.usage) : 0);
    if (o.error) return fail(o.error);
    const [command] = o.words;
    if (command === undefined) return fail('No command specified.', true);
    if (command === 'version' || command === '-v' || command === '--version' || command === '-V') {
      print(p, `ipset v${version}, protocol version: 7\n`);
      return 0;
    }
    if (command === 'help' || command === '-h' || command === '--help' || command === '-H') {
      print(p, IPSET_HELP.replace(/v\S+/, `v${version}`));
      return 0;
    }
    const verb = ALIASES[command];
    if (verb === undefined) return fail(`No command specified: unknown argument ${command}`, true);
    if (!p.caps.has('NET_ADMIN')) return fail('Kernel error received: Operation not permitted');
    if (verb === 'list' || verb === 'save') return list(p, o, fail, o.output ?? (verb === 'save' ? 'save' : 'plain'));
    if (verb === 'test') return test(p, o, fail);
    p.netns.dirty.add('ipset');
    if (verb !== 'restore') return outcome(setCommand(p.netns, o.words, o.exist));
    let text: string;
    if (o.file === null) text = bytesToString(yield* stdinAll(p));
    else {
      const data = readFile(p.fs, absolute(o.file, p.cwd), p);
      if (typeof data === 'string') return fail(`Cannot open ${o.file} for reading: No such file or directory`);
      text = bytesToString(data);
    }
    const bad = restoreSets(p.netns, text, o.exist);
    if (!bad) return 0;
    return bad.usage ? fail(bad.error, true) : fail(`Error in line ${bad.line}: ${bad.error}`);
  };

function test(p: Process, o: Options, fail: (text: string, usage?: boolean) => number): number {
  const [, name, entry] = o.words;
  if (name === undefined) return fail('Missing mandatory argument to command test', true);
  if (entry === undefined) return fail('Missing second mandatory argument to command test', true);
  const r = testEntry(p.netns, name, entry);
  if ('error' in r) return fail(r.error);
  if (!o.quiet) complain(p, r.found ? `Warning: ${r.text} is in set ${name}.\n` : `${r.text} is NOT in set ${name}.\n`);
  return r.found ? 0 : 1;
}
