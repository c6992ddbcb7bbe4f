import { COMMANDS } from './commands.ts';
import { kubectlPlan } from './kubectl-command.ts';
import { main } from './main.ts';
import { opener, setOpener } from './opener.ts';
import { preferring } from './preferences.ts';
import { runCommand } from './run.ts';

interface GlobalFlags {
  with: string[];
  realtime: boolean;
  help: boolean;
  version: boolean;
  rest: string[];
}

/** Flags before the command's name; what follows is the command's own. */
function globalFlags(argv: string[]): GlobalFlags {
  const flags: GlobalFlags = { with: [], realtime: false, help: false, version: false, rest: [] };
  let i = 0;
  for (; i < argv.length; i++) {
    if (argv[i] === '--with' && i + 1 < argv.length) flags.with.push(argv[++i]);
    else if (argv[i].startsWith('--with=')) flags.with.push(argv[i].slice(7));
    else if (argv[i] === '--realtime') flags.realtime = true;
    else if (argv[i] === '-h' || argv[i] === '--help') flags.help = true;
    else if (argv[i] === '-V' || argv[i] === '--version') flags.version = true;
    else break;
  }
  flags.rest = argv.slice(i);
  return flags;
}

async function podnet(argv: string[]): Promise<number> {
  const flags = globalFlags(argv);
  if (flags.realtime) process.env.PODNET_REALTIME = '1';
  if (flags.version) {
    process.stdout.write(`podnet ${(await import('../../package.json')).version}\n`);
    return 0;
  }
  const row = COMMANDS.find(c => c.name === flags.rest[0]);
  if (flags.help || !flags.rest.length || (flags.rest[0] === 'help' && flags.rest.length < 2))
    return (await import('./help.ts')).printHelp();
  if (flags.with.length) {
    const { openThrowaway } = await import('./throwaway.ts');
    setOpener(env => openThrowaway(env, flags.with));
  }
  if (row) return (await import('./own.ts')).runOwn(row, flags.rest.slice(1));
  const program = { name: 'podnet', commands: COMMANDS.map(c => c.name) };
  return preferring(flags.rest, process.env, words => runCommand(kubectlPlan(words, process.env, program), process.env, opener()));
}

main(() => podnet(process.argv.slice(2)));
