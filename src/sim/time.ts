// Calendar arithmetic without the platform's Date (proleptic Gregorian, UTC; days-from-civil after Howard Hinnant).
const DAY_MS = 86_400_000;

function civil(days: number): [number, number, number] {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor((doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365);
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return [yoe + era * 400 + (month <= 2 ? 1 : 0), month, doy - Math.floor((153 * mp + 2) / 5) + 1];
}

/** Days since 1970-01-01; a day beyond its month counts on into the next. */
export function daysFromCivil(y: number, m: number, d: number): number {
  if (m <= 2) y--;
  const era = Math.floor(y / 400);
  const yoe = y - era * 400;
  const doy = Math.floor((153 * (m > 2 ? m - 3 : m + 9) + 2) / 5) + d - 1;
  return era * 146_097 + yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy - 719_468;
}

export interface Civil {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  ms: number;
  /** 0 Sunday */
  weekday: number;
}

export function civilTime(ms: number): Civil {
  const days = Math.floor(ms / DAY_MS);
  const rest = Math.floor(ms - days * DAY_MS);
  const [year, month, day] = civil(days);
  return {
    year,
    month,
    day,
    hour: Math.floor(rest / 3_600_000),
    minute: Math.floor(rest / 60_000) % 60,
    second: Math.floor(rest / 1000) % 60,
    ms: rest % 1000,
    weekday: (((days + 4) % 7) + 7) % 7,
  };
}

/** As clocks and calendars write numbers: `07`. */
export const twoDigits = (n: number): string => String(n).padStart(2, '0');

/** HH:MM:SS */
export const clockText = (c: Civil): string => `${twoDigits(c.hour)}:${twoDigits(c.minute)}:${twoDigits(c.second)}`;

/** The time of klog's header: MMDD HH:MM:SS.uuuuuu */
export function klogStamp(ms: number): string {
  const c = civilTime(ms);
  const micros = Math.floor((ms - Math.floor(ms / 1000) * 1000) * 1000);
  return `${twoDigits(c.month)}${twoDigits(c.day)} ${clockText(c)}.${pad(micros, 6)}`;
}

const pad = (n: number, width: number) => String(n).padStart(width, '0');

/** metav1.Time: seconds, `Z`. */
export function rfc3339(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    lastText = format(ms);
    lastSecond = second;
  }
  return lastText;
}

/** Most times that are written down are the present one. */
let lastSecond = Number.NaN;
let lastText = '';

function format(ms: number): string {
  const c = civilTime(ms);
  return `${pad(c.year, 4)}-${twoDigits(c.month)}-${twoDigits(c.day)}T${clockText(c)}Z`;
}

/** metav1.MicroTime. Fractions of a millisecond come from the clock's own fraction. */
export function rfc3339Micro(ms: number): string {
  const micros = Math.floor((ms - Math.floor(ms / 1000) * 1000) * 1000);
  return `${rfc3339(ms).slice(0, -1)}.${pad(micros, 6)}Z`;
}

/** Epoch milliseconds, or null: not RFC 3339. */
export function parseRfc3339(s: string): number | null {
  if (s !== lastParsed) {
    lastMs = parse(s);
    lastParsed = s;
  }
  return lastMs;
}

let lastParsed = '';
let lastMs: number | null = null;

function parse(s: string): number | null {
  const m = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/.exec(s);
  if (!m) return null;
  const [y, mo, d, h, mi, sec] = m.slice(1, 7).map(Number);
  if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 23 || mi > 59 || sec > 60) return null;
  const offset = m[8] ? (m[8] === '-' ? 1 : -1) * (Number(m[9]) * 60 + Number(m[10])) * 60_000 : 0;
  return daysFromCivil(y, mo, d) * DAY_MS + h * 3_600_000 + mi * 60_000 + sec * 1000 + (m[7] ? Number(m[7]) * 1000 : 0) + offset;
}

export const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** RFC 1123 with numeric or GMT zone is left to callers; this is the HTTP form: `Sat, 21 Nov 2026 14:35:00 GMT`. */
export function httpDate(ms: number): string {
  const c = civilTime(ms);
  return `${WEEKDAYS[c.weekday]}, ${twoDigits(c.day)} ${MONTHS[c.month - 1]} ${c.year} ${clockText(c)} GMT`;
}
