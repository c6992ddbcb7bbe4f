// iptables-save and iptables-restore with their variants (iptables 1.8.9: xtables-save.c, xtables-restore.c).
import { type RestoreError, type RestoreOptions, restore } from '../../linux/netfilter/restore.ts';
import { save, tableNames } from '../../linux/netfilter/save.ts';
import { ensureTable, isTableName } from '../../linux/netfilter/state.ts';
import type { TableName } from '../../linux/netfilter/types.ts';
import { complain, print, stdinAll } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { absolute, readFile } from '../../linux/vfs.ts';
import { bytesToString } from '../../sim/bytes.ts';
import type { Co } from '../../sim/task.ts';
import { type Flavour, toolName, versionText } from './arguments.ts';
import { mayNotAdminister, warnOfLegacy } from './iptables.ts';

export const saveProgram = (f: Flavour): Program =>
  function* iptablesSave(p: Process): Co<number> {
    const tool = `${toolName(f)}-save`;
    let table: TableName | null = null;
    let counters = false;
    const argv = p.argv.slice(1);
    for (let i = 0; i < argv.length; i++) {
      const word = argv[i];
      if (word === '-c' || word === '--counters') counters = true;
      else if (word === '-t' || word === '--table') {
        const name = argv[++i];
        if (name === undefined) return badOption(p, tool, `option requires an argument -- 't'`);
        if (!isTableName(name)) return noTable(p, f, name);
        table = name;
      } else if (word === '-M' || word === '--modprobe' || word === '-f' || word === '--file') i++;
      else if (word === '-d' || word === '--dump' || word === '-4' || word === '-6') continue;
      else if (word === '-V' || word === '--version') {
        print(p, `${tool} ${versionText(f)}\n`);
        return 0;
      } else if (word.startsWith('-') && word !== '-') {
        return badOption(p, tool, word.startsWith('--') ? `unrecognized option '${word}'` : `invalid option -- '${word[1]}'`);
      } else {
        complain(p, 'Unknown arguments found on commandline\n');
        return 1;
      }
    }
    const refused = mayNotAdminister(p, f);
    if (refused !== null) return refused;
    // Asking for one table makes it, as it does in the kernel.
    if (table !== null) ensureTable(p.netns, f.family, table, f.backend);
    if (f.backend === 'legacy' || tableNames(p.netns, f.family, 'nft').length)
      print(p, save(p.netns, f.family, { table: table ?? undefined, counters, backend: f.backend, version: f.version }));
    warnOfLegacy(p, f);
    return 0;
  };

function badOption(p: Process, tool: string, text: string): number {
  complain(p, `${tool}: ${text}\nLook at manual page \`${tool}.8' for more information.\n`);
  return 1;
}

function noTable(p: Process, f: Flavour, name: string): number {
  if (f.backend === 'legacy')
    complain(p, `${toolName(f)}-save ${versionText(f)}: Cannot initialize: Table does not exist (do you need to insmod?)\n\n`);
  else complain(p, `Table \`${name}' does not exist\n`);
  return 1;
}

interface RestoreArguments extends RestoreOptions {
  file: string | null;
}

function restoreArguments(p: Process, f: Flavour): RestoreArguments | number {
  const o: RestoreArguments = { file: null, check: true, backend: f.backend };
  const argv = p.argv.slice(1);
  const tool = f.backend === 'legacy' ? `${toolName(f)}-legacy-restore` : `${toolName(f)}-restore`;
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i];
    if (word === '-n' || word === '--noflush') o.noflush = true;
    else if (word === '-c' || word === '--counters') o.counters = true;
    else if (word === '-t' || word === '--test') o.test = true;
    else if (word === '-T' || word === '--table') {
      const name = argv[++i];
      if (name !== undefined && isTableName(name)) o.table = name;
    } else if (word === '-w' || word === '--wait' || word === '-W' || word === '--wait-interval') {
      if (/^\d+$/.test(argv[i + 1] ?? '')) i++;
    } else if (/^-w\d*$|^--wait=|^-v$|^--verbose$|^-4$|^-6$/.test(word)) continue;
    else if (word === '-M' || word === '--modprobe') i++;
    else if (word === '-V' || word === '--version') {
      print(p, `${toolName(f)}-restore ${versionText(f)}\n`);
      return 0;
    } else if (/^-[ncvt]{2,}$/.test(word)) argv.splice(i + 1, 0, ...[...word.slice(1)].map(ch => `-${ch}`));
    else if (word.startsWith('-') && word !== '-') {
      complain(p, `${tool}: ${word.startsWith('--') ? `unrecognized option '${word}'` : `invalid option -- '${word[1]}'`}\n`);
      complain(p, `Try \`${toolName(f)}-restore -h' for more information.\n`);
      return 1;
    } else if (o.file === null) o.file = word;
    else {
      complain(p, 'Unknown arguments found on commandline\n');
      return 1;
    }
  }
  return o;
}

function reportRestore(p: Process, f: Flavour, e: RestoreError): number {
  const tool = `${toolName(f)}-restore`;
  if (e.kind === 'usage') {
    const head = e.message.startsWith('Bad argument') ? '' : `${tool} ${versionText(f)}: `;
    complain(p, `${head}${e.message}\nError occurred at line: ${e.line}\nTry \`${tool} -h' or '${tool} --help' for more information.\n`);
    return 2;
  }
  if (e.message.startsWith('COMMIT expected')) complain(p, `${tool}: ${e.message}\n`);
  else if (f.backend === 'legacy') complain(p, `${tool}: line ${e.line} failed\n`);
  else if (e.kind === 'kernel') {
    complain(p, `${tool} ${versionText(f)}: \nline ${e.line}: ${e.message}\n`);
    return 4;
  } else complain(p, `${tool}: line ${e.line} failed${e.message ? `: ${e.message}.` : ''}\n`);
  return 1;
}

export const restoreProgram = (f: Flavour): Program =>
  function* iptablesRestore(p: Process): Co<number> {
    const o = restoreArguments(p, f);
    if (typeof o === 'number') return o;
    const refused = mayNotAdminister(p, f);
    if (refused !== null) return refused;
    let text: string;
    if (o.file === null || o.file === '-') text = bytesToString(yield* stdinAll(p));
    else {
      const data = readFile(p.fs, absolute(o.file, p.cwd), p);
      if (typeof data === 'string') {
        complain(p, `Can't open ${o.file}: No such file or directory\n`);
        return 1;
      }
      text = bytesToString(data);
    }
    const bad = restore(p.netns, f.family, text, o);
    if (!o.test) p.netns.dirty.add('netfilter');
    return bad ? reportRestore(p, f, bad) : 0;
  };
