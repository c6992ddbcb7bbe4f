// `authorizer` in admission policies (k8s.io/apiserver/pkg/cel/library/authz.go v0.36.3): who else may do what.

import { isAllowed, type User, userOf } from '../../authorize.ts';
import type { Row } from '../../cel/functions/row.ts';
import { extendLibrary, type Library } from '../../cel/library.ts';
import { CelError, Opaque } from '../../cel/values.ts';
import type { ApiServer } from '../../types.ts';

const P = 'kubernetes.authorization';

interface Check {
  server: ApiServer;
  user: User;
  path?: string;
  group?: string;
  resource?: string;
  subresource?: string;
  namespace?: string;
  name?: string;
}

const made = (type: string, value: object): Opaque => new Opaque(`${P}.${type}`, value, type);
const more =
  (type: string, field: keyof Check) =>
  (o: Opaque, text: string): Opaque =>
    made(type, { ...o.value, [field]: text });

function check(o: Opaque, verb: string): Opaque {
  const { server, user, path, ...a }: Check = o.value;
  return made('Decision', { allowed: isAllowed(server, user, path === undefined ? { verb, ...a } : { verb, url: path }) });
}

function path(o: Opaque, text: string): Opaque {
  if (!text) throw new CelError('path must not be empty');
  return made('PathCheck', { ...o.value, path: text });
}

const ROWS: Row[] = [
  [`${P}.Authorizer.path(string) ${P}.PathCheck`, path],
  [`${P}.PathCheck.check(string) ${P}.Decision`, check],
  [
    `${P}.Authorizer.serviceAccount(string,string) ${P}.Authorizer`,
    (o: Opaque, namespace: string, name: string) =>
      made('Authorizer', { ...o.value, user: userOf(`system:serviceaccount:${namespace}:${name}`) }),
  ],
  [`${P}.Authorizer.group(string) ${P}.GroupCheck`, more('GroupCheck', 'group')],
  [`${P}.GroupCheck.resource(string) ${P}.ResourceCheck`, more('ResourceCheck', 'resource')],
  [`${P}.ResourceCheck.subresource(string) ${P}.ResourceCheck`, more('ResourceCheck', 'subresource')],
  [`${P}.ResourceCheck.namespace(string) ${P}.ResourceCheck`, more('ResourceCheck', 'namespace')],
  [`${P}.ResourceCheck.name(string) ${P}.ResourceCheck`, more('ResourceCheck', 'name')],
  [`${P}.ResourceCheck.check(string) ${P}.Decision`, check],
  [`${P}.Decision.allowed() bool`, (o: Opaque) => o.value.allowed],
  [`${P}.Decision.errored() bool`, () => false],
  [`${P}.Decision.error() string`, () => ''],
  [`${P}.Decision.reason() string`, () => ''],
];

let library: Library | null = null;

export const policyLibrary = (): Library => (library ??= extendLibrary(ROWS));

export const AUTHORIZER = `${P}.Authorizer`;
export const RESOURCE_CHECK = `${P}.ResourceCheck`;

export const newAuthorizer = (server: ApiServer, user: User): Opaque => made('Authorizer', { server, user });
export const newResourceCheck = (c: Check): Opaque => made('ResourceCheck', c);
