// Ages and durations as kubectl words them (apimachinery v0.36.3, pkg/util/duration/duration.go).

import { civilTime, clockText, MONTHS, parseRfc3339, twoDigits, WEEKDAYS } from '../sim/time.ts';

/** `3d4h`, from milliseconds. */
export function humanDuration(ms: number): string {
  const s = Math.trunc(ms / 1000);
  if (s < -1) return '<invalid>';
  if (s < 0) return '0s';
  if (s < 120) return `${s}s`;
  const m = Math.trunc(s / 60);
  if (m < 10) return s % 60 === 0 ? `${m}m` : `${m}m${s % 60}s`;
  if (m < 180) return `${m}m`;
  const h = Math.trunc(s / 3600);
  if (h < 8) return m % 60 === 0 ? `${h}h` : `${h}h${m % 60}m`;
  if (h < 48) return `${h}h`;
  if (h < 192) return h % 24 === 0 ? `${Math.trunc(h / 24)}d` : `${Math.trunc(h / 24)}d${h % 24}h`;
  if (h < 24 * 365 * 2) return `${Math.trunc(h / 24)}d`;
  const dy = Math.trunc(h / 24) % 365;
  const y = Math.trunc(h / 24 / 365);
  if (h < 24 * 365 * 8) return dy === 0 ? `${y}y` : `${y}y${dy}d`;
  return `${y}y`;
}

/** Go's Duration.String, from milliseconds. */
export function goDuration(ms: number): string {
  if (ms === 0) return '0s';
  const sign = ms < 0 ? '-' : '';
  const a = Math.abs(ms);
  if (a < 1000) return a >= 1 ? `${sign}${trim(a)}ms` : `${sign}${trim(a * 1000)}µs`;
  const h = Math.floor(a / 3_600_000);
  const m = Math.floor(a / 60_000) % 60;
  const s = trim((a % 60_000) / 1000);
  return `${sign}${h ? `${h}h` : ''}${h || m ? `${m}m` : ''}${s}s`;
}

const trim = (n: number) => String(Number(n.toFixed(9)));

export function translateTimestampSince(nowMs: number, at: string | undefined | null): string {
  if (!at) return '<unknown>';
  const ms = parseRfc3339(at);
  return ms === null ? '<unknown>' : humanDuration(nowMs - ms);
}

/** time.RFC1123Z in UTC: `Sat, 21 Nov 2026 14:35:00 +0000`. */
export function rfc1123z(at: string | undefined | null): string {
  const ms = at ? parseRfc3339(at) : null;
  if (ms === null) return 'Mon, 01 Jan 0001 00:00:00 +0000';
  const c = civilTime(ms);
  return `${WEEKDAYS[c.weekday]}, ${twoDigits(c.day)} ${MONTHS[c.month - 1]} ${c.year} ${clockText(c)} +0000`;
}

/** time.Time.String() in UTC: `2026-11-21 14:35:00 +0000 UTC`. */
export function goTime(at: string | undefined | null): string {
  const ms = at ? parseRfc3339(at) : null;
  if (ms === null) return '0001-01-01 00:00:00 +0000 UTC';
  const c = civilTime(ms);
  return `${c.year}-${twoDigits(c.month)}-${twoDigits(c.day)} ${clockText(c)} +0000 UTC`;
}
