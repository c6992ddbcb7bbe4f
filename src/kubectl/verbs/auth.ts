// kubectl auth (k8s.io/kubectl v0.36.3, pkg/cmd/auth). The API server decides.

import type { Co } from '../../sim/task.ts';
import { bool, type Cmd, connect, flag, out, warn } from '../command.ts';
import { exitFailure, fail } from '../failure.ts';
import { findResource, mappingFor } from '../mapping.ts';
import { printerOf } from '../print-flags.ts';
import { ruleRows } from '../rbac-rules.ts';
import { createObject } from '../requests.ts';
import { alignRows, newTableWriter } from '../tabwriter.ts';
import { reconcile } from './auth-reconcile.ts';

export function* run(cmd: Cmd): Co<number> {
  if (cmd.path === 'auth whoami') return whoAmI(cmd);
  if (cmd.path === 'auth reconcile') return yield* reconcile(cmd);
  return canI(cmd);
}

/** Create a review of the caller: the API server answers, and keeps nothing. */
function ask(cmd: Cmd, group: string, kind: string, spec: object | undefined): any {
  const mapping = mappingFor(connect(cmd), `${kind.toLowerCase()}s.${group}`);
  return createObject(cmd, mapping, '', { apiVersion: `${group}/v1`, kind, metadata: { name: '' }, ...(spec && { spec }) }, {});
}

function whoAmI(cmd: Cmd): number {
  const answer = ask(cmd, 'authentication.k8s.io', 'SelfSubjectReview', undefined);
  const print = printerOf(cmd);
  if (print) {
    print(answer);
    return 0;
  }
  const { username: name, groups } = answer.status.userInfo;
  const rows = [
    ['ATTRIBUTE', 'VALUE'],
    ['Username', name],
    ['Groups', `[${groups.join(' ')}]`],
  ];
  out(cmd, alignRows(newTableWriter(), rows));
  return 0;
}

const VERBS = 'get list watch create update patch delete deletecollection use bind impersonate * approve sign escalate attest'.split(' ');
const URL_VERBS = 'get put post head options delete patch *'.split(' ');

interface Question {
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  name: string;
  url: string;
  namespace: string;
}

function canI(cmd: Cmd): number {
  if (bool(cmd, 'list')) {
    if (cmd.args.length) fail('list option must be specified with no arguments');
    if (bool(cmd, 'quiet') || bool(cmd, 'all-namespaces') || flag(cmd, 'subresource'))
      fail("list option can't be specified with neither quiet, all-namespaces nor subresource options");
    return listRules(cmd);
  }
  if (cmd.args.length !== 2)
    fail(
      "you must specify two arguments: verb resource or verb resource/resourceName.\nSee 'kubectl auth can-i -h' for help and examples.",
    );
  const [verb, what] = cmd.args;
  const q: Question = { verb, group: '', resource: '', subresource: flag(cmd, 'subresource'), name: '', url: '', namespace: '' };
  q.namespace = bool(cmd, 'all-namespaces') ? '' : cmd.namespace;
  if (what.startsWith('/')) {
    q.url = what;
    if (q.subresource) fail('--subresource can not be used with NonResourceURL');
    if (!URL_VERBS.includes(verb)) warn(cmd, `verb '${verb}' is not a known verb\n`);
  } else readResource(cmd, what, q);
  if (bool(cmd, 'no-headers')) fail('--no-headers cannot be set without --list specified');
  const { verb: asked, url, ...resource } = q;
  const attributes = url ? { nonResourceAttributes: { path: url, verb: asked } } : { resourceAttributes: { verb: asked, ...resource } };
  const { allowed } = ask(cmd, 'authorization.k8s.io', 'SelfSubjectAccessReview', attributes).status;
  if (!bool(cmd, 'quiet')) out(cmd, allowed ? 'yes\n' : 'no\n');
  if (!allowed) throw exitFailure(1);
  return 0;
}

function readResource(cmd: Cmd, what: string, q: Question): void {
  const at = what.indexOf('/');
  const word = at < 0 ? what : what.slice(0, at);
  q.name = at < 0 ? '' : what.slice(at + 1);
  q.resource = word;
  if (word === '*') return;
  const m = findResource(connect(cmd), word.toLowerCase());
  if (!m) {
    const [resource, ...group] = word.toLowerCase().split('.');
    if (!['users', 'groups'].includes(word.toLowerCase()))
      warn(cmd, `the server doesn't have a resource type '${resource}'${group.length ? ` in group '${group.join('.')}'` : ''}\n`);
    return;
  }
  q.resource = m.resource;
  q.group = m.group;
  if (bool(cmd, 'all-namespaces')) return;
  if (!m.namespaced) {
    warn(cmd, `resource '${m.resource}' is not namespace scoped${m.group ? ` in group '${m.group}'` : ''}\n`);
  }
  if (!VERBS.includes(q.verb)) warn(cmd, `verb '${q.verb}' is not a known verb\n`);
}

function listRules(cmd: Cmd): number {
  const { status } = ask(cmd, 'authorization.k8s.io', 'SelfSubjectRulesReview', { namespace: cmd.namespace });
  const rows = ruleRows([...status.resourceRules, ...status.nonResourceRules]);
  const head = bool(cmd, 'no-headers') ? [] : [['Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs']];
  out(cmd, alignRows(newTableWriter(), [...head, ...rows]));
  return 0;
}
