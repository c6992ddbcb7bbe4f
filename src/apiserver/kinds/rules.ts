// The building blocks of validation (k8s.io/apimachinery/pkg/util/validation and pkg/api/validate/content v0.36.3).

import { stringToBytes } from '../../sim/bytes.ts';
import { type Cidr, familyOf, formatIp, type Ip, network, parseCidr, parseIp, sameIp } from '../../wire/ip.ts';
import { type FieldError, forbiddenField, invalidField, notSupported, required } from '../field.ts';
import { sameJson } from '../json.ts';

export const byteLength = (s: string): number => (/^[\x00-\x7f]*$/.test(s) ? s.length : stringToBytes(s).length);

const maxLength = (n: number): string => `must be no more than ${n} characters`;
const maxBytes = (n: number): string => `must be no more than ${n} bytes`;

function regexError(message: string, format: string, ...examples: string[]): string {
  if (!examples.length) return `${message} (regex used for validation is '${format}')`;
  const list = examples.map((e, i) => `${i ? ' or ' : ''}'${e}', `).join('');
  return `${message} (e.g. ${list}regex used for validation is '${format}')`;
}

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN = `${LABEL}(\\.${LABEL})*`;
const LABEL_ = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_ = `${LABEL_}(\\.${LABEL_})*`;
const KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_RE = new RegExp(`^${LABEL}$`);
const SUBDOMAIN_RE = new RegExp(`^${SUBDOMAIN}$`);
const SUBDOMAIN_RE_ = new RegExp(`^${SUBDOMAIN_}$`);
const KEY_RE = new RegExp(`^${KEY}$`);

const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character";
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";
const KEY_TEXT = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";

/** Every rule: what is wrong, in upstream's words and order. */
export type Rule = (value: string) => string[];

export const isDns1123Label: Rule = v => {
  const errors: string[] = [];
  if (byteLength(v) > 63) errors.push(maxLength(63));
  if (!LABEL_RE.test(v)) errors.push(SUBDOMAIN_RE.test(v) ? 'must not contain dots' : regexError(LABEL_TEXT, LABEL, 'my-name', '123-abc'));
  return errors;
};

/** The older text, without the hint about dots (pkg/api/validate/content and names). */
export const isDns1123Subdomain: Rule = v => {
  const errors: string[] = [];
  if (byteLength(v) > 253) errors.push(maxLength(253));
  if (!SUBDOMAIN_RE.test(v)) errors.push(regexError(SUBDOMAIN_TEXT, SUBDOMAIN, 'example.com'));
  return errors;
};

export const isDns1123SubdomainWithUnderscore: Rule = v => {
  const errors: string[] = [];
  if (byteLength(v) > 253) errors.push(maxLength(253));
  const text = SUBDOMAIN_TEXT.replace("characters, '-'", "characters, '_', '-'");
  if (!SUBDOMAIN_RE_.test(v)) errors.push(regexError(text, SUBDOMAIN_, 'example.com'));
  return errors;
};

export const isDns1035Label: Rule = v => {
  const errors: string[] = [];
  if (byteLength(v) > 63) errors.push(maxLength(63));
  const text =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character";
  if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(v)) errors.push(regexError(text, '[a-z]([-a-z0-9]*[a-z0-9])?', 'my-name', 'abc-123'));
  return errors;
};

export const isWildcardDns1123Subdomain: Rule = v => {
  const errors: string[] = [];
  if (byteLength(v) > 253) errors.push(maxLength(253));
  const format = `\\*\\.${SUBDOMAIN}`;
  const text =
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character";
  if (!new RegExp(`^${format}$`).test(v)) errors.push(regexError(text, format, '*.example.com'));
  return errors;
};

/** IsLabelKey. */
export const isQualifiedName: Rule = v => {
  const errors: string[] = [];
  const parts = v.split('/');
  const key = regexError(KEY_TEXT, KEY, 'MyName', 'my.name', '123-abc');
  if (parts.length > 2) {
    return [`a valid label key ${key} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`];
  }
  const name = parts[parts.length - 1];
  if (parts.length === 2) {
    if (!parts[0]) errors.push('prefix part must be non-empty');
    else {
      if (byteLength(parts[0]) > 253) errors.push(`prefix part ${maxBytes(253)}`);
      if (!SUBDOMAIN_RE.test(parts[0])) errors.push(`prefix part ${regexError(SUBDOMAIN_TEXT, SUBDOMAIN, 'example.com')}`);
    }
  }
  if (!name) errors.push('name part must be non-empty');
  else if (byteLength(name) > 63) errors.push(`name part ${maxBytes(63)}`);
  if (!KEY_RE.test(name)) errors.push(`name part ${key}`);
  return errors;
};

export const isLabelValue: Rule = v => {
  const errors: string[] = [];
  if (byteLength(v) > 63) errors.push(maxBytes(63));
  const text = `a valid label must be an empty string or ${KEY_TEXT.slice(5)}`;
  if (v && !KEY_RE.test(v)) errors.push(regexError(text, `(${KEY})?`, 'MyValue', 'my_value', '12345'));
  return errors;
};

export const isPathSegment: Rule = v => {
  if (v === '.' || v === '..') return [`may not be '${v}'`];
  return ['/', '%'].filter(c => v.includes(c)).map(c => `may not contain '${c}'`);
};

const range = (lo: number, hi: number): string => `must be between ${lo} and ${hi}, inclusive`;
export const inRange = (v: number, lo: number, hi: number): string[] => (v >= lo && v <= hi ? [] : [range(lo, hi)]);
export const isPortNumber = (v: number): string[] => inRange(v, 1, 65535);
export const isUserId = (v: number): string[] => inRange(v, 0, 2147483647);

export const isPortName: Rule = v => {
  const errors: string[] = [];
  if (byteLength(v) > 15) errors.push(maxLength(15));
  if (!/^[-a-z0-9]+$/.test(v)) errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  if (!/[a-z]/.test(v)) errors.push('must contain at least one letter (a-z)');
  if (v.includes('--')) errors.push('must not contain consecutive hyphens');
  if (v.startsWith('-') || v.endsWith('-')) errors.push('must not begin or end with a hyphen');
  return errors;
};

export const isPercent: Rule = v =>
  /^[0-9]+%$/.test(v)
    ? []
    : [regexError("a valid percent string must be a numeric string followed by an ending '%'", '[0-9]+%', '1%', '93%')];

export const isHttpHeaderName: Rule = v =>
  /^[-A-Za-z0-9]+$/.test(v)
    ? []
    : [regexError("a valid HTTP header must consist of alphanumeric characters or '-'", '[-A-Za-z0-9]+', 'X-Header-Name')];

function changesDirectory(v: string): string[] {
  if (v === '.') return ["must not be '.'"];
  if (v === '..') return ["must not be '..'"];
  return v.startsWith('..') ? ["must not start with '..'"] : [];
}

/** RelaxedEnvironmentVariableValidation is on in v1.36. */
export const isEnvVarName: Rule = v => {
  if (!v) return ['environment variable name must be non-empty'];
  return /^[\x20-\x3c\x3e-\x7e]*$/.test(v)
    ? []
    : ["a valid environment variable name must consist only of printable ASCII characters other than '='"];
};

export const isConfigMapKey: Rule = v => {
  const errors: string[] = [];
  if (byteLength(v) > 253) errors.push(maxLength(253));
  const text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'";
  if (!/^[-._a-zA-Z0-9]+$/.test(v)) errors.push(regexError(text, '[-._a-zA-Z0-9]+', 'key.name', 'KEY_NAME', 'key-name'));
  return [...errors, ...changesDirectory(v)];
};

export const prefixed = (rule: Rule): ((name: string, prefix: boolean) => string[]) => {
  return (name, prefix) => rule(prefix && name.length > 1 && name.endsWith('-') ? `${name.slice(0, -2)}a` : name);
};

export const nameIsSubdomain = prefixed(isDns1123Subdomain);
export const nameIsLabel = prefixed(isDns1123Label);
export const nameIsPathSegment = (name: string): string[] => isPathSegment(name);

const each = (field: string, value: unknown, texts: string[]): FieldError[] => texts.map(t => invalidField(field, value, t));

export const checkRule = (field: string, value: string, rule: Rule): FieldError[] => each(field, value, rule(value));

export const nonNegative = (field: string, value: number | undefined): FieldError[] =>
  value != null && value < 0 ? [invalidField(field, value, 'must be greater than or equal to 0')] : [];

export const positive = (field: string, value: number | undefined): FieldError[] =>
  value != null && value <= 0 ? [invalidField(field, value, 'must be greater than zero')] : [];

export const IMMUTABLE = 'field is immutable';

export const immutable = (field: string, value: unknown, old: unknown): FieldError[] =>
  sameJson(value ?? null, old ?? null) ? [] : [invalidField(field, value, IMMUTABLE)];

/** sets.List: sorted. */
export const oneOf = (field: string, value: unknown, supported: readonly string[]): FieldError[] =>
  supported.includes(value as string) ? [] : [notSupported(field, value ?? '', supported)];

export const requiredOneOf = (field: string, value: string | undefined, supported: readonly string[]): FieldError[] =>
  value ? oneOf(field, value, supported) : [required(field)];

// ---- labels and selectors

export function validateLabels(labels: Record<string, string> | undefined, field: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const k of Object.keys(labels ?? {}).sort()) {
    errors.push(...checkRule(field, k, isQualifiedName), ...checkRule(field, labels?.[k] ?? '', isLabelValue));
  }
  return errors;
}

export const validateLabelName = (name: string, field: string): FieldError[] => checkRule(field, name, isQualifiedName);

export function validateLabelSelector(selector: any, field: string): FieldError[] {
  if (!selector) return [];
  const errors = validateLabels(selector.matchLabels, `${field}.matchLabels`);
  for (const [i, e] of (selector.matchExpressions ?? []).entries()) {
    const path = `${field}.matchExpressions[${i}]`;
    const values: string[] = e.values ?? [];
    if (e.operator === 'In' || e.operator === 'NotIn') {
      if (!values.length) errors.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
    } else if (e.operator === 'Exists' || e.operator === 'DoesNotExist') {
      if (values.length)
        errors.push(forbiddenField(`${path}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    } else errors.push(invalidField(`${path}.operator`, e.operator ?? '', 'not a valid selector operator'));
    errors.push(...validateLabelName(e.key ?? '', `${path}.key`));
    for (const [k, v] of values.entries()) errors.push(...checkRule(`${path}.values[${k}]`, v, isLabelValue));
  }
  return errors;
}

// ---- addresses

const IP_TEXT = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const CIDR_TEXT = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';

/** net.ParseIP before it refused leading zeros. */
export function parseIpSloppy(s: string): Ip | null {
  if (s.includes(':')) {
    const dot = s.lastIndexOf(':');
    return parseIp(s.includes('.') ? s.slice(0, dot + 1) + dropZeros(s.slice(dot + 1)) : s);
  }
  return /^\d+(\.\d+){3}$/.test(s) ? parseIp(dropZeros(s)) : null;
}

const dropZeros = (s: string): string =>
  s
    .split('.')
    .map(p => p.replace(/^0+(?=\d)/, ''))
    .join('.');

const isMapped = (s: string, ip: Ip): boolean => s.includes(':') && familyOf(ip) === 6 && formatIp(ip).startsWith('::ffff:');

/** 4 for a mapped address, as Go's net.IP has it. */
function unmapped(ip: Ip): Ip {
  return ip.length === 16 && formatIp(ip).startsWith('::ffff:') && formatIp(ip).includes('.') ? ip.subarray(12) : ip;
}

/** IsValidIPForLegacyField, strict. */
export function legacyIp(field: string, value: string, old: readonly string[] = []): FieldError[] {
  if (old.includes(value)) return [];
  const ip = parseIpSloppy(value);
  if (!ip) return [invalidField(field, value, IP_TEXT)];
  if (!parseIp(value)) return [invalidField(field, value, 'must not have leading 0s')];
  if (isMapped(value, ip)) return [invalidField(field, value, 'must not be an IPv4-mapped IPv6 address')];
  return [];
}

/** IsValidIP. */
export function strictIp(field: string, value: string): FieldError[] {
  const errors = legacyIp(field, value);
  if (errors.length) return errors;
  const text = formatIp(parseIp(value) as Ip);
  return text === value ? [] : [invalidField(field, value, `must be in canonical form ("${text}")`)];
}

function parseCidrSloppy(s: string): Cidr | null {
  const slash = s.indexOf('/');
  if (slash < 0 || !/^\d+$/.test(s.slice(slash + 1))) return null;
  const ip = parseIpSloppy(s.slice(0, slash));
  const bits = Number(s.slice(slash + 1));
  return ip && bits <= ip.length * 8 ? { ip, bits } : null;
}

export function legacyCidr(field: string, value: string, old: readonly string[] = []): FieldError[] {
  if (old.includes(value)) return [];
  const c = parseCidrSloppy(value);
  if (!c) return [invalidField(field, value, CIDR_TEXT)];
  const strict = parseCidr(value);
  if (!strict) return [invalidField(field, value, 'must not have leading 0s in IP or prefix length')];
  if (isMapped(value, strict.ip)) return [invalidField(field, value, 'must not have an IPv4-mapped IPv6 address')];
  if (!sameIp(network(strict).ip, strict.ip)) return [invalidField(field, value, 'must not have bits set beyond the prefix length')];
  return [];
}

/** IsValidCIDR. */
export function strictCidr(field: string, value: string): FieldError[] {
  const errors = legacyCidr(field, value);
  if (errors.length) return errors;
  const c = parseCidr(value) as Cidr;
  const text = `${formatIp(c.ip)}/${c.bits}`;
  return text === value ? [] : [invalidField(field, value, `must be in canonical form ("${text}")`)];
}

/** GetWarningsForIP. */
export function ipWarnings(field: string, value: string): string[] {
  const ip = parseIpSloppy(value);
  if (!ip) return [];
  const strict = parseIp(value);
  if (!strict || isMapped(value, strict))
    return [`${field}: non-standard IP address "${value}" is invalid: use "${formatIp(unmapped(ip))}"`];
  const text = formatIp(strict);
  if (strict.length === 16 && text !== value)
    return [`${field}: IPv6 address "${value}" should be in RFC 5952 canonical format ("${text}")`];
  return [];
}

/** GetWarningsForCIDR. */
export function cidrWarnings(field: string, value: string): string[] {
  const c = parseCidrSloppy(value);
  if (!c) return [];
  const strict = parseCidr(value);
  const base = `${formatIp(network({ ip: unmapped(c.ip), bits: c.bits }).ip)}/${c.bits}`;
  if (!strict || isMapped(value, strict.ip)) return [`${field}: non-standard CIDR value "${value}" is invalid: use "${base}"`];
  if (!sameIp(network(strict).ip, strict.ip)) {
    const host = formatIp(strict.ip);
    return [`${field}: CIDR value "${value}" is ambiguous in this context (should be "${base}" or "${host}/${strict.ip.length * 8}"?)`];
  }
  if (strict.ip.length === 16 && base !== value) {
    return [`${field}: IPv6 CIDR value "${value}" should be in RFC 5952 canonical format ("${base}")`];
  }
  return [];
}

/** ValidateEndpointIP: where traffic can really be sent. */
export function endpointIp(field: string, value: string): FieldError[] {
  const parsed = parseIpSloppy(value);
  if (!parsed) return [invalidField(field, value, 'must be a valid IP address')];
  const ip = unmapped(parsed);
  const errors: FieldError[] = [];
  const four = ip.length === 4;
  if (ip.every(b => b === 0)) errors.push(invalidField(field, value, `may not be unspecified (${value})`));
  const loopback = four ? ip[0] === 127 : ip.slice(0, 15).every(b => b === 0) && ip[15] === 1;
  if (loopback) errors.push(invalidField(field, value, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'));
  const linkLocal = four ? ip[0] === 169 && ip[1] === 254 : ip[0] === 0xfe && (ip[1] & 0xc0) === 0x80;
  if (linkLocal) errors.push(invalidField(field, value, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'));
  const multicast = four ? ip[0] === 224 && ip[1] === 0 && ip[2] === 0 : ip[0] === 0xff && (ip[1] & 0x0f) === 2;
  if (multicast) errors.push(invalidField(field, value, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'));
  return errors;
}

/** ValidatePortNumOrName. */
export function portNumberOrName(field: string, value: number | string | undefined): FieldError[] {
  if (typeof value === 'string') return each(field, value, isPortName(value));
  return each(field, value ?? 0, isPortNumber(value ?? 0));
}

export const PROTOCOLS = ['SCTP', 'TCP', 'UDP'];
