// kubectl version (k8s.io/kubectl v0.36.3, pkg/cmd/version/version.go).

import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, connect, flag, out } from '../command.ts';
import { type Failure, fail, isFailure } from '../failure.ts';
import { goJson } from '../go-json.ts';
import { lazy } from '../lazy.ts';

const KUSTOMIZE = 'v5.8.1';

/** version.Info of this build; its fields in Go's order. */
function buildInfo(version: string, server: boolean): Record<string, string> {
  const [major, minor] = version.replace(/^v/, '').split('.');
  return {
    major,
    minor,
    ...(server
      ? { emulationMajor: major, emulationMinor: minor, minCompatibilityMajor: major, minCompatibilityMinor: String(Number(minor) - 1) }
      : {}),
    gitVersion: version,
    gitCommit: '$Format:%H$',
    gitTreeState: 'clean',
    buildDate: '1970-01-01T00:00:00Z',
    goVersion: 'go1.26.8',
    compiler: 'gc',
    platform: 'linux/amd64',
  };
}

/** json.MarshalIndent of a struct: fields as they stand. */
export function structJson(v: unknown, indent: string, at = ''): string {
  if (typeof v !== 'object' || v === null) return goJson(v);
  const inner = at + indent;
  return `{\n${Object.entries(v)
    .map(([k, x]) => `${inner}${goJson(k)}: ${structJson(x, indent, inner)}`)
    .join(',\n')}\n${at}}`;
}

export function* run(cmd: Cmd): Co<number> {
  if (cmd.args.length) fail(`extra arguments: [${cmd.args.join(' ')}]`);
  const output = flag(cmd, 'output');
  if (output && output !== 'yaml' && output !== 'json') fail("--output must be 'yaml' or 'json'");
  const client = bool(cmd, 'client');
  // Without a server the client's version is still told.
  const lost = client ? null : problem(cmd);
  const server = client || lost ? '' : connect(cmd).version;
  const info = {
    clientVersion: buildInfo('v1.36.3', false),
    kustomizeVersion: KUSTOMIZE,
    ...(server ? { serverVersion: buildInfo(server, true) } : {}),
  };
  if (output === 'json') out(cmd, `${structJson(info, '  ')}\n`);
  else if (output === 'yaml') out(cmd, `${lazy('yaml').toYaml(info)}\n`);
  else {
    out(cmd, `Client Version: v1.36.3\nKustomize Version: ${KUSTOMIZE}\n`);
    if (server) out(cmd, `Server Version: ${server}\n`);
  }
  if (lost) throw lost;
  return 0;
}

function problem(cmd: Cmd): Failure | null {
  try {
    connect(cmd);
    return null;
  } catch (e) {
    if (isFailure(e) && e.unreachable) return e;
    throw e;
  }
}
