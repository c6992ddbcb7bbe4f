// The string formats that schemas of custom resources may name (k8s.io/kube-openapi/pkg/validation/strfmt).

import { parseRfc3339 } from '../../sim/time.ts';
import { parseCidr, parseIp } from '../../wire/ip.ts';

const UUID = (version: string) => new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?[0-9a-f]{4}-?[0-9a-f]{12}$`, 'i');

const CHECKS: Record<string, (v: string) => boolean> = {
  uri: v => /^[A-Za-z][A-Za-z0-9+.-]*:|^\//.test(v),
  email: v => /^[^@\s]+@[^@\s]+$/.test(v),
  hostname: v =>
    v.length <= 255 && /^([a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?)(\.[a-zA-Z0-9]([a-zA-Z0-9-]{0,62}[a-zA-Z0-9])?)*\.?$/.test(v),
  ipv4: v => parseIp(v) !== null && !v.includes(':'),
  ipv6: v => parseIp(v) !== null && v.includes(':'),
  cidr: v => parseCidr(v) !== null,
  mac: v => /^([0-9a-fA-F]{2}([:-]))([0-9a-fA-F]{2}\2)*[0-9a-fA-F]{2}$|^([0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}$/.test(v),
  uuid: v => UUID('[0-9a-f]').test(v),
  uuid3: v => UUID('3').test(v),
  uuid4: v => /^[0-9a-f]{8}-?[0-9a-f]{4}-?4[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(v),
  uuid5: v => /^[0-9a-f]{8}-?[0-9a-f]{4}-?5[0-9a-f]{3}-?[89ab][0-9a-f]{3}-?[0-9a-f]{12}$/i.test(v),
  hexcolor: v => /^#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/.test(v),
  byte: v => /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(v),
  date: v => /^\d{4}-\d{2}-\d{2}$/.test(v) && parseRfc3339(`${v}T00:00:00Z`) !== null,
  duration: v => /^[-+]?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$|^\d+\s*[a-zA-Z]+$|^0$/.test(v),
  datetime: v => parseRfc3339(v) !== null,
  'date-time': v => parseRfc3339(v) !== null,
};

/** Whether the value is none of the format; formats that nobody knows allow everything. */
export const formatError = (format: string, v: string): boolean => CHECKS[format] !== undefined && !CHECKS[format](v);
