// config set and unset: a path of names through the kubeconfig (k8s.io/kubectl v0.36.3, pkg/cmd/config/navigation_step_parser.go, set.go).

import { base64, stringToBytes, unbase64 } from '../../sim/bytes.ts';
import { goQuote } from '../../sim/quote.ts';
import { fail } from '../failure.ts';
import type { Kubeconfig } from '../host.ts';

/** The lists, which are maps by name to the code that walks the path; and what an entry has. */
const MAPS: Record<string, { entry: 'cluster' | 'user' | 'context'; fields: string[] }> = {
  clusters: {
    entry: 'cluster',
    fields:
      'server tls-server-name insecure-skip-tls-verify certificate-authority certificate-authority-data proxy-url disable-compression'.split(
        ' ',
      ),
  },
  users: {
    entry: 'user',
    fields:
      'client-certificate client-certificate-data client-key client-key-data token tokenFile act-as act-as-uid username password auth-provider exec'.split(
        ' ',
      ),
  },
  contexts: { entry: 'context', fields: ['cluster', 'user', 'namespace'] },
};

const FLAGS = ['insecure-skip-tls-verify', 'disable-compression', 'colors'];

/** `value` null takes the property away. */
export function changeProperty(c: Kubeconfig, property: string, value: string | null, rawBytes: boolean): void {
  const [first, ...rest] = property.split('.');
  const root = c as unknown as Record<string, any>;
  const unparsed = (): never => fail(`unable to parse one or more field values of ${property}`);
  if (MAPS[first]) {
    inMap(root, first, rest, value, { rawBytes, unparsed });
    return;
  }
  if (first === 'preferences') {
    if (rest.length > 1 || (rest.length && rest[0] !== 'colors')) unparsed();
    if (!rest.length) root.preferences = value === null ? {} : fail(`can't set a map to a value: ${value}`);
    else root.preferences = value === null ? {} : { ...root.preferences, colors: typed('colors', value, rawBytes) };
    return;
  }
  if (!['current-context', 'kind', 'apiVersion'].includes(first)) fail(`unable to parse ${property} after [] at api.Config`);
  if (rest.length) unparsed();
  // Kind and version are written by the code that writes the file, whatever they are set to.
  if (first === 'current-context') root[first] = value ?? '';
}

interface How {
  rawBytes: boolean;
  unparsed: () => never;
}

function inMap(root: Record<string, any>, first: string, rest: string[], value: string | null, how: How): void {
  const { entry, fields } = MAPS[first];
  const rows = root[first] as Record<string, any>[];
  // A name may have dots in it: it goes as far as no field follows.
  const at = rest.findIndex((word, i) => i > 0 && fields.includes(word));
  const name = (at < 0 ? rest : rest.slice(0, at)).join('.');
  const row = rows.find(r => r.name === name);
  if (at < 0) {
    if (value !== null) fail(`can't set a map to a value: map[${rows.map(r => `${r.name}:0xc000000000`).join(' ')}]`);
    if (!rest.length) root[first] = [];
    else root[first] = rows.filter(r => r !== row);
    return;
  }
  if (at < rest.length - 1) how.unparsed();
  if (value === null) {
    if (!row) fail(`current map key \`${name}\` is invalid`);
    delete (row as Record<string, any>)[entry][rest[at]];
    return;
  }
  const set = typed(rest[at], value, how.rawBytes);
  // false is what an absent flag means, and is not written.
  if (set === false) delete row?.[entry][rest[at]];
  else if (row) row[entry][rest[at]] = set;
  else rows.push({ name, [entry]: { [rest[at]]: set } });
}

function typed(field: string, value: string, rawBytes: boolean): string | boolean {
  if (FLAGS.includes(field)) {
    if (!/^(1|t|T|true|TRUE|True|0|f|F|false|FALSE|False)$/.test(value))
      fail(`strconv.ParseBool: parsing ${goQuote(value)}: invalid syntax`);
    return /^[1t]/i.test(value);
  }
  if (!field.endsWith('-data')) return value;
  if (rawBytes) return base64(stringToBytes(value));
  if (!unbase64(value)) {
    const at = [...value].findIndex(ch => !/[A-Za-z0-9+/=]/.test(ch));
    fail(`error decoding input value: illegal base64 data at input byte ${at < 0 ? value.length : at}`);
  }
  return value;
}
