import type { KubectlHost } from '../kubectl/host.ts';
import { prepareKubectl } from '../kubectl/main.ts';
import { kubectlHost } from './kubectl-host.ts';
import type { CommandPlan } from './run.ts';

/** Verbs that reach into pods. */
const REACHES_PODS = new Set(['exec', 'logs', 'attach', 'cp', 'port-forward', 'run', 'debug', 'proxy', 'top']);
/** Verbs that write nothing and watch nothing (get -w is told apart). */
const READS = new Set([
  'get',
  'describe',
  'version',
  'cluster-info',
  'api-resources',
  'api-versions',
  'config',
  'options',
  'completion',
  'top',
]);
/** Flags of kubectl's own that take a value, so that the verb is found behind them. */
const VALUED = new Set([
  '-n',
  '--namespace',
  '--context',
  '--cluster',
  '--user',
  '--kubeconfig',
  '-s',
  '--server',
  '--token',
  '--as',
  '--request-timeout',
  '-v',
  '--v',
  '--cache-dir',
]);

function verbOf(argv: string[]): { verb: string; rest: string[] } {
  for (let i = 0; i < argv.length; i++) {
    if (VALUED.has(argv[i])) i++;
    else if (!argv[i].startsWith('-')) return { verb: argv[i], rest: [...argv.slice(0, i), ...argv.slice(i + 1)] };
  }
  return { verb: '', rest: argv };
}

const hasFlag = (rest: string[], short: string, long: string): boolean => {
  for (const w of rest) {
    if (w === '--') return false;
    if (w === `--${long}` || w.startsWith(`--${long}=`)) return !w.endsWith('=false');
    if (/^-[a-zA-Z]+$/.test(w) && !w.startsWith('--') && w.includes(short)) return true;
  }
  return false;
};

/** A path of --raw that a program of the cluster answers. */
const RAW_TO_PROGRAMS = /^(?:--raw=)?\/api\/v1\/.*\/(?:proxy|log)(?:[/?]|$)/;

/** How time and the engine serve a kubectl command line; `program`: podnet's own, which tells places in manifests too. */
export function kubectlPlan(argv: string[], env: NodeJS.ProcessEnv, program?: KubectlHost['program']): CommandPlan {
  const { verb, rest } = verbOf(argv);
  const watches = verb === 'get' && (hasFlag(rest, 'w', 'watch') || hasFlag(rest, '\0', 'watch-only'));
  const follows = verb === 'logs' && hasFlag(rest, 'f', 'follow');
  const looksOn = follows || (verb === 'events' && hasFlag(rest, 'w', 'watch'));
  const passes = watches || looksOn || verb === 'wait' || (verb === 'rollout' && rest.includes('status'));
  return {
    prepare: async (machine, streams, staying) => {
      const host = { ...kubectlHost(machine, streams, env, staying), program, places: program !== undefined };
      // Few commands name a URL of their own: the others do not load what stands for the internet.
      const end = argv.indexOf('--');
      const own = verb === 'exec' || verb === 'run' ? [] : end < 0 ? argv : argv.slice(0, end);
      if (own.some(word => /https?:\/\/|github\.com\//.test(word))) host.fetchUrl = await (await import('./web.ts')).webOf(own);
      return prepareKubectl(argv, host);
    },
    stays: verb === 'port-forward' || verb === 'proxy' ? 'listens' : watches || looksOn ? 'looks on' : undefined,
    time: passes ? 'pass' : 'settle',
    engine: REACHES_PODS.has(verb) || rest.some(word => RAW_TO_PROGRAMS.test(word)),
    reads: READS.has(verb) && !watches,
    patienceMs: watches || looksOn || verb === 'port-forward' || verb === 'proxy' ? 0 : 300_000,
  };
}
