// What every plugin does around its work: environment, configuration, versions, errors (github.com/containernetworking/cni v1.3 pkg/skel/skel.go).
import { netnsAtPath } from '../../linux/namespaces.ts';
import { complain, print, stdinAll } from '../../linux/process.ts';
import type { Netns, Process, Program } from '../../linux/types.ts';
import { bytesToString } from '../../sim/bytes.ts';
import { type CniResult, indented, newest, parseResult, resultText, VERSIONS } from './result.ts';

export interface PluginArgs {
  p: Process;
  containerId: string;
  /** Path as given. */
  netnsPath: string;
  ifName: string;
  args: string;
  path: string;
  conf: any;
}

export interface CniError {
  code: number;
  msg: string;
  details?: string;
}

export const failure = (msg: string, code = 999, details?: string): CniError => ({ code, msg, details });
export const isFailure = (v: unknown): v is CniError => typeof v === 'object' && v !== null && 'code' in v && 'msg' in v;

export interface PluginImpl {
  add: (a: PluginArgs) => CniResult | CniError;
  check: (a: PluginArgs) => CniError | null;
  del: (a: PluginArgs) => CniError | null;
  about: string;
  /** loopback prints its result as it is, in the newest form, whatever version was asked for. */
  unconverted?: boolean;
}

const REQUIRED: Record<string, string[]> = {
  ADD: ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  CHECK: ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  DEL: ['CNI_COMMAND', 'CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_PATH'],
  GC: ['CNI_COMMAND', 'CNI_PATH'],
  STATUS: ['CNI_COMMAND', 'CNI_PATH'],
  VERSION: ['CNI_COMMAND'],
};

export function openNetns(a: PluginArgs): Netns | CniError {
  const ns = netnsAtPath(a.p, a.netnsPath);
  return ns ?? failure(`failed to open netns "${a.netnsPath}": failed to Statfs "${a.netnsPath}": no such file or directory`);
}

/** The result before this plugin, in a chain. */
export const previous = (conf: any): CniResult | null =>
  conf.prevResult ? parseResult(conf.prevResult, conf.cniVersion || '0.1.0') : null;

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

function validate(conf: any, containerId: string, ifName: string): CniError | null {
  if (!conf.name) return failure('missing network name', 7);
  if (!NAME.test(conf.name)) return failure('invalid characters found in network name', 7, conf.name);
  if (!containerId) return failure('missing containerID', 4);
  if (!NAME.test(containerId)) return failure('invalid characters in containerID', 4, containerId);
  if (ifName.length > 15) return failure('interface name is too long', 4, 'interface name should be less than 16 characters');
  if (ifName === '.' || ifName === '..') return failure('interface name is . or ..', 4);
  const bad = [...ifName].find(c => c === '/' || c === ':' || /\s/.test(c));
  return bad ? failure('interface name contains / or : or whitespace characters', 4) : null;
}

function versionProblem(version: string): CniError | null {
  if (VERSIONS.includes(version)) return null;
  const supported = VERSIONS.map(v => `"${v}"`).join(' ');
  return failure('incompatible CNI versions', 1, `config is "${version}", plugin supports [${supported}]`);
}

function run(impl: PluginImpl, command: string, a: PluginArgs): { out: string } | CniError {
  const version: string = a.conf.cniVersion || '0.1.0';
  const mismatch = versionProblem(version);
  if (mismatch) return mismatch;
  if (command === 'ADD') {
    const r = impl.add(a);
    if (isFailure(r)) return r;
    return { out: impl.unconverted ? indented(newest(r, version)) : resultText(r, version) };
  }
  if (command === 'CHECK' && version < '0.4.0') return failure('config version does not allow CHECK', 1);
  if ((command === 'GC' || command === 'STATUS') && version < '1.1.0') return failure(`config version does not allow ${command}`, 1);
  const problem = command === 'CHECK' ? impl.check(a) : command === 'DEL' ? impl.del(a) : null;
  return problem ?? { out: '' };
}

function invoke(impl: PluginImpl, p: Process, stdin: string): { out: string } | CniError {
  const env = (name: string) => p.env.get(name) ?? '';
  const command = env('CNI_COMMAND');
  const missing = (REQUIRED[command] ?? ['CNI_COMMAND']).filter(name => !env(name));
  if (missing.length && !(command === 'VERSION')) return failure(`required env variables [${missing.join(',')}] missing`, 4);
  if (command === 'VERSION') {
    let asked = '';
    try {
      asked = JSON.parse(stdin).cniVersion ?? '';
    } catch {
      // Upstream ignores what it cannot read here.
    }
    return { out: `${JSON.stringify({ cniVersion: asked || '1.1.0', supportedVersions: VERSIONS })}\n` };
  }
  if (!REQUIRED[command]) return failure(`unknown CNI_COMMAND: ${command}`, 4);
  let conf: any;
  try {
    conf = JSON.parse(stdin);
  } catch {
    const why = stdin.trim() ? 'invalid character' : 'unexpected end of JSON input';
    return failure(`error unmarshall network config: ${why}`, 6);
  }
  const problem = validate(conf, env('CNI_CONTAINERID'), env('CNI_IFNAME'));
  if (problem) return problem;
  return run(impl, command, {
    p,
    containerId: env('CNI_CONTAINERID'),
    netnsPath: env('CNI_NETNS'),
    ifName: env('CNI_IFNAME'),
    args: env('CNI_ARGS'),
    path: env('CNI_PATH'),
    conf,
  });
}

export function pluginProgram(impl: PluginImpl): Program {
  return function* (p) {
    if (!p.env.get('CNI_COMMAND')) {
      complain(p, `${impl.about}\nCNI protocol versions supported: ${VERSIONS.join(', ')}\n`);
      return 0;
    }
    const r = invoke(impl, p, bytesToString(yield* stdinAll(p)));
    // What failed may have done half of its work.
    for (const part of ['links', 'routes', 'netfilter', 'sysctl'] as const) p.netns.dirty.add(part);
    const pod = netnsAtPath(p, p.env.get('CNI_NETNS') ?? '');
    for (const part of ['links', 'routes', 'sysctl'] as const) pod?.dirty.add(part);
    if (isFailure(r)) {
      print(p, indented(r.details === undefined ? { code: r.code, msg: r.msg } : r));
      return 1;
    }
    print(p, r.out);
    return 0;
  };
}
