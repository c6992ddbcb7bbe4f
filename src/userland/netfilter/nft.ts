// nft(8) 1.0.6: commands on its line, from files and standard input; errors with the place they stand.
import { placeOf, runNft } from '../../linux/netfilter/nft/commands.ts';
import type { NftError } from '../../linux/netfilter/nft/reader.ts';
import { xtTablesText } from '../../linux/netfilter/nft/xtables.ts';
import { complain, print, stdinAll } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { NFT_HELP } from './usage/nft.ts';

interface Options {
  words: string[];
  file: string | null;
  check: boolean;
  handles: boolean;
  stateless: boolean;
  terse: boolean;
  json: boolean;
  numeric: boolean;
}

const SHORT: Record<string, keyof Options> = {
  n: 'numeric',
  y: 'numeric',
  a: 'handles',
  c: 'check',
  s: 'stateless',
  t: 'terse',
  j: 'json',
};
const LONG: Record<string, keyof Options> = { handle: 'handles', check: 'check', stateless: 'stateless', terse: 'terse', json: 'json' };
/** Accepted, without effect on what is printed here. */
const QUIET = 'nNSyupTeo';

function parse(argv: string[]): Options | string {
  const o: Options = { words: [], file: null, check: false, handles: false, stateless: false, terse: false, json: false, numeric: false };
  for (let i = 0; i < argv.length; i++) {
    const w = argv[i];
    if (o.words.length || !w.startsWith('-') || w === '-') {
      o.words.push(w);
      continue;
    }
    if (w.startsWith('--')) {
      const name = w.slice(2);
      if (name === 'file') o.file = argv[++i] ?? null;
      else if (name in LONG) (o[LONG[name]] as boolean) = true;
      else if (!/^(?:numeric|echo|numeric-\w+|service|reversedns|guid|optimize|version|help)/.test(name))
        return `unrecognized option '${w}'`;
      continue;
    }
    for (let at = 1; at < w.length; at++) {
      const ch = w[at];
      if (ch === 'f') {
        o.file = w.slice(at + 1) || (argv[++i] ?? null);
        break;
      }
      if (ch === 'I' || ch === 'D') {
        if (at === w.length - 1) i++;
        break;
      }
      if (ch in SHORT) (o[SHORT[ch]] as boolean) = true;
      else if (!QUIET.includes(ch)) return `invalid option -- '${ch}'`;
    }
  }
  return o;
}

/** `Error: …`, the line, and carets; from a file with its name and place before. */
function report(p: Process, text: string, file: string | null, e: NftError): number {
  const at = placeOf(text, e);
  const where = file === null ? '' : `${file}:${at.line}:${at.from}-${at.to}: `;
  const message = e.errno === null ? e.message : `Could not process rule: ${e.errno}`;
  const marks: string[] = [...at.source].map(ch => (ch === '\t' ? '\t' : ' '));
  const start = e.from - (at.from - 1);
  for (let i = at.from - 1; i < Math.max(at.from, at.to); i++) marks[i] = '^';
  for (let i = (e.about?.from ?? 0) - start; i < (e.about?.to ?? 0) - start; i++) marks[i] = '~';
  complain(p, `${where}Error: ${message}\n${at.source}\n${marks.join('').trimEnd()}\n`);
  return 1;
}

function json(p: Process, o: Options): number {
  if (o.words[0] === 'list' && o.words[1] === 'ruleset' && !p.netns.netfilter.nft.length) {
    print(p, '{"nftables": [{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}}]}\n');
    return 0;
  }
  complain(p, 'Error: JSON support not compiled-in\n');
  return 1;
}

export const nftProgram = (version: string): Program =>
  function* nft(p: Process): Co<number> {
    const argv = p.argv.slice(1);
    if (argv[0] === '-v' || argv[0] === '--version') {
      print(p, `nftables v${version}\n`);
      return 0;
    }
    if (argv[0] === '-h' || argv[0] === '--help') {
      print(p, NFT_HELP);
      return 0;
    }
    if (argv[0] === '-V') {
      print(p, `nftables v${version}\n  cli:\t\teditline\n  json:\t\tyes\n  minigmp:\tno\n  libxtables:\tyes\n`);
      return 0;
    }
    const o = parse(argv);
    if (typeof o === 'string') {
      complain(p, `nft: ${o}\n`);
      return 1;
    }
    if (o.file === null && !o.words.length) {
      complain(p, 'nft: no command specified\n');
      return 1;
    }
    if (!p.caps.has('NET_ADMIN')) {
      complain(p, 'Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed: Operation not permitted\n');
      return 1;
    }
    if (o.json) return json(p, o);
    let text = `${o.words.join(' ')}\n`;
    let file: string | null = null;
    if (o.file !== null) {
      file = o.file === '-' ? '/dev/stdin' : o.file;
      const data = file === '/dev/stdin' ? yield* stdinAll(p) : readFile(p.fs, absolute(file, p.cwd), p);
      if (typeof data === 'string') {
        complain(p, `internal:0:0-0: Error: Could not open file "${file}": No such file or directory\n\n\n`);
        return 1;
      }
      text = bytesToString(data);
    }
    return run(p, o, text, file);
  };

function run(p: Process, o: Options, text: string, file: string | null): number {
  const before = p.netns.netfilter.nft;
  // iptables' own tables are nftables' too; nft shows them as it can and warns.
  const xt = file === null ? xtTablesText(p.netns, o.words) : null;
  if (xt) {
    for (const name of xt.managed) complain(p, `# Warning: table ${name} is managed by iptables-nft, do not touch!\n`);
    if (xt.only) {
      print(p, xt.text);
      return 0;
    }
  }
  const result = runNft(p.netns, text, { handles: o.handles, stateless: o.stateless, terse: o.terse, check: o.check, numeric: o.numeric });
  if (result.error) return report(p, text, file, result.error);
  if (xt) print(p, xt.text);
  print(p, result.out);
  if (p.netns.netfilter.nft !== before) p.netns.dirty.add('netfilter');
  return 0;
}
