// kubectl cp (k8s.io/kubectl v0.36.3, pkg/cmd/cp): tar on both sides.

import type { KubeObject } from '../../apiserver/types.ts';
import { bytesToString, concat } from '../../sim/bytes.ts';
import { newPipe, pipeOf } from '../../sim/pipe.ts';
import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, connect, err, flag, isStatus } from '../command.ts';
import { exitFailure, fail, isFailure } from '../failure.ts';
import { pathError } from '../files.ts';
import { containerFor, podsMapping } from '../pods.ts';
import { getObject } from '../requests.ts';
import { pumpSession } from '../session.ts';
import { readTar, TAR_END, tarMember } from '../tar.ts';
import { checkRunning, streamFailure } from './exec.ts';

interface Spec {
  namespace: string;
  pod: string;
  file: string;
}

const FORMAT = 'filespec must match the canonical format: [[namespace/]pod:]file/path';
const trimSlash = (s: string): string => (s.length > 1 && s.endsWith('/') ? s.slice(0, -1) : s);

function parseSpec(text: string): Spec {
  const at = text.indexOf(':');
  if (at === 0) fail(FORMAT);
  if (at < 0) return { namespace: '', pod: '', file: trimSlash(text) };
  const pieces = text.slice(0, at).split('/');
  const file = trimSlash(text.slice(at + 1).replace(/\\/g, '/'));
  if (pieces.length > 2) fail(FORMAT);
  return pieces.length === 1 ? { namespace: '', pod: pieces[0], file } : { namespace: pieces[0], pod: pieces[1], file };
}

/** path.Clean */
function clean(path: string): string {
  const root = path.startsWith('/');
  const parts: string[] = [];
  for (const p of path.split('/')) {
    if (!p || p === '.') continue;
    if (p === '..' && parts.length && parts.at(-1) !== '..') parts.pop();
    else if (p !== '..' || !root) parts.push(p);
  }
  return (root ? '/' : '') + parts.join('/') || '.';
}
const base = (path: string): string => clean(path).split('/').at(-1) || '/';
const dir = (path: string): string => clean(path.slice(0, path.lastIndexOf('/') + 1) || '.');
const join = (a: string, b: string): string => clean(`${a}/${b}`);

export function* run(cmd: Cmd): Co<number> {
  if (cmd.args.length !== 2) fail('source and destination are required');
  const [from, to] = cmd.args.map(parseSpec);
  if (from.pod && to.pod) fail('one of src or dest must be a local file specification');
  if (!from.file || !to.file) fail('filepath can not be empty');
  if (from.pod) yield* copyFrom(cmd, from, to.file);
  else if (to.pod) yield* copyTo(cmd, from.file, to);
  else fail('one of src or dest must be a remote file specification');
  return 0;
}

interface Streams {
  stdin?: Uint8Array;
  /** What the program says, instead of the user's stdout. */
  stdout?: (chunk: Uint8Array) => void;
  stderr?: (chunk: Uint8Array) => void;
  quiet?: boolean;
}

/** -> the exit code */
function* exec(cmd: Cmd, spec: Spec, argv: string[], io: Streams): Co<number> {
  const namespace = spec.namespace || cmd.namespace;
  const pod = getObject(cmd, podsMapping(cmd), namespace, spec.pod);
  if (isFailure(pod)) throw pod;
  checkRunning(pod as KubeObject);
  const told = io.stderr ? { ...cmd, host: { ...cmd.host, stderr: newPipe({ sink: io.stderr }) } } : cmd;
  const container = containerFor(told, pod, flag(cmd, 'container'), io.quiet ?? false);
  const { kubelet } = connect(cmd);
  if (!kubelet) return fail('unable to upgrade connection: no kubelet answers');
  const session = kubelet.exec(pod, container, argv, { stdin: io.stdin !== undefined, tty: false });
  if (isStatus(session)) throw streamFailure(session);
  const host = {
    ...cmd.host,
    stdin: pipeOf(io.stdin ?? ''),
    stdout: io.stdout ? newPipe({ sink: io.stdout }) : cmd.host.stdout,
    stderr: io.stderr ? newPipe({ sink: io.stderr }) : cmd.host.stderr,
  };
  return yield* pumpSession({ ...cmd, host }, session, io.stdin !== undefined, false);
}

const succeed = (code: number): void => {
  if (code) throw exitFailure(code, `command terminated with exit code ${code}`);
};

function* copyTo(cmd: Cmd, source: string, spec: Spec): Co<void> {
  if (typeof cmd.host.stat(source) === 'string') fail(`${source} doesn't exist in local filesystem`);
  const silent = () => {};
  let directory = false;
  try {
    directory = (yield* exec(cmd, spec, ['test', '-d', spec.file], { stdout: silent, stderr: silent, quiet: true })) === 0;
  } catch (e) {
    if (!isFailure(e)) throw e;
  }
  const target = directory ? join(spec.file, base(source)) : spec.file;
  const parts: Uint8Array[] = [];
  addToTar(cmd, clean(source), base(target), parts);
  const options = bool(cmd, 'no-preserve') ? ['--no-same-permissions', '--no-same-owner', '-xmf', '-'] : ['-xmf', '-'];
  const where = dir(target);
  succeed(yield* exec(cmd, spec, ['tar', ...options, ...(where ? ['-C', where] : [])], { stdin: concat([...parts, TAR_END]) }));
}

function addToTar(cmd: Cmd, path: string, name: string, parts: Uint8Array[]): void {
  const info = cmd.host.stat(path);
  if (typeof info === 'string') throw fail(pathError('lstat', path, info));
  if (info.link !== undefined) {
    parts.push(tarMember({ name, type: '2', mode: 0o777, mtimeMs: info.mtimeMs, link: info.link }));
    return;
  }
  if (!info.directory) {
    const data = cmd.host.readFile(path);
    if (typeof data === 'string') throw fail(pathError('open', path, data));
    parts.push(tarMember({ name, type: '0', mode: info.mode, mtimeMs: info.mtimeMs, data }));
    return;
  }
  const names = cmd.host.listDir(path);
  if (typeof names === 'string') throw fail(pathError('open', path, names));
  if (!names.length) parts.push(tarMember({ name: `${name}/`, type: '5', mode: info.mode, mtimeMs: info.mtimeMs }));
  for (const n of names) addToTar(cmd, join(path, n), `${name}/${n}`, parts);
}

function* copyFrom(cmd: Cmd, spec: Spec, target: string): Co<void> {
  const chunks: Uint8Array[] = [];
  const code = yield* exec(cmd, spec, ['tar', 'cf', '-', spec.file], {
    stdout: c => void chunks.push(c),
    // What tar says goes to standard output, as the real kubectl has it.
    stderr: c => void err({ ...cmd, host: { ...cmd.host, stderr: cmd.host.stdout } }, bytesToString(c)),
  });
  const entries = readTar(concat(chunks));
  // A tar that fails after it has said so does not fail the copy of what it gave.
  if (code) err(cmd, `command terminated with exit code ${code}\n`);
  let prefix = clean(spec.file.replace(/^[/\\]+/, ''));
  while (prefix.startsWith('../')) prefix = prefix.slice(3);
  if (prefix === '.' || prefix === '..') prefix = '';
  let warned = false;
  for (const e of entries) {
    const name = trimSlash(e.name);
    if (!name.startsWith(prefix)) fail('tar contents corrupted');
    const path = join(target, name.slice(prefix.length));
    const inside =
      clean(target) === '.'
        ? !path.startsWith('..') && !path.startsWith('/')
        : path === clean(target) || path.startsWith(`${clean(target)}/`);
    if (!inside) {
      err(cmd, `warning: file ${JSON.stringify(path)} is outside target destination, skipping\n`);
      continue;
    }
    makeDirs(cmd, e.type === 'directory' ? path : dir(path));
    if (e.type === 'directory') continue;
    if (e.type === 'link') {
      const hint = ` (consider using "kubectl exec -n ${JSON.stringify(spec.namespace)} ${JSON.stringify(spec.pod)} -- tar cf - ${JSON.stringify(spec.file)} | tar xf -")`;
      err(cmd, `warning: skipping symlink: ${JSON.stringify(path)} -> ${JSON.stringify(e.link)}${warned ? '' : hint}\n`);
      warned = true;
      continue;
    }
    const wrong = cmd.host.writeFile(path, e.data);
    if (wrong) fail(pathError('open', path, wrong));
  }
}

function makeDirs(cmd: Cmd, path: string): void {
  const parts = path.split('/');
  for (let i = 1; i <= parts.length; i++) {
    const p = parts.slice(0, i).join('/');
    if (!p || p === '.' || typeof cmd.host.stat(p) !== 'string') continue;
    const wrong = cmd.host.makeDir(p);
    if (wrong && wrong !== 'EEXIST') fail(pathError('mkdir', p, wrong));
  }
}
