// strftime(3) in UTC and the C locale.
import { civilTime, MONTHS, WEEKDAYS } from '../sim/time.ts';

const LONG_DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const LONG_MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const dayOfYear = (y: number, m: number, d: number): number => {
  const days = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
  return days[m - 1] + d + (m > 2 && ((y % 4 === 0 && y % 100 !== 0) || y % 400 === 0) ? 1 : 0);
};

export function strftime(format: string, ms: number): string {
  const c = civilTime(ms);
  const two = (n: number, fill = '0') => String(n).padStart(2, fill);
  const hour12 = c.hour % 12 || 12;
  const yday = dayOfYear(c.year, c.month, c.day);
  const iso = isoWeek(c.year, yday, c.weekday);
  const one = (letter: string): string | null => {
    switch (letter) {
      case 'Y':
        return String(c.year);
      case 'C':
        return two(Math.floor(c.year / 100));
      case 'y':
        return two(c.year % 100);
      case 'm':
        return two(c.month);
      case 'd':
        return two(c.day);
      case 'e':
        return two(c.day, ' ');
      case 'H':
        return two(c.hour);
      case 'k':
        return two(c.hour, ' ');
      case 'I':
        return two(hour12);
      case 'l':
        return two(hour12, ' ');
      case 'M':
        return two(c.minute);
      case 'S':
        return two(c.second);
      case 'N':
        return String(Math.floor((ms - Math.floor(ms / 1000) * 1000) * 1_000_000)).padStart(9, '0');
      case 's':
        return String(Math.floor(ms / 1000));
      case 'j':
        return String(yday).padStart(3, '0');
      case 'a':
        return WEEKDAYS[c.weekday];
      case 'A':
        return LONG_DAYS[c.weekday];
      case 'b':
      case 'h':
        return MONTHS[c.month - 1];
      case 'B':
        return LONG_MONTHS[c.month - 1];
      case 'p':
        return c.hour < 12 ? 'AM' : 'PM';
      case 'P':
        return c.hour < 12 ? 'am' : 'pm';
      case 'u':
        return String(c.weekday || 7);
      case 'w':
        return String(c.weekday);
      case 'U':
        return two(Math.floor((yday + 6 - c.weekday) / 7));
      case 'W':
        return two(Math.floor((yday + 6 - ((c.weekday + 6) % 7)) / 7));
      case 'V':
        return two(iso.week);
      case 'G':
        return String(iso.year);
      case 'g':
        return two(iso.year % 100);
      case 'z':
        return '+0000';
      case 'Z':
        return 'UTC';
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case '%':
        return '%';
      default:
        return null;
    }
  };
  const composite: Record<string, string> = {
    F: '%Y-%m-%d',
    T: '%H:%M:%S',
    X: '%H:%M:%S',
    R: '%H:%M',
    D: '%m/%d/%y',
    x: '%m/%d/%y',
    r: '%I:%M:%S %p',
    c: '%a %b %e %H:%M:%S %Y',
    h: '%b',
  };
  // A composite's flags and width are its parts' business, except that it may be in capitals or padded as a whole.
  return format.replace(/%([-_0^#:]*)(\d+)?([A-Za-z%])/g, (all, flags: string, width: string | undefined, letter: string) => {
    let text = composite[letter] ? strftime(composite[letter], ms) : one(letter);
    if (text === null) return all;
    if (flags.includes('^')) text = text.toUpperCase();
    if (flags.includes('#')) text = /[pZ]/.test(letter) ? text.toLowerCase() : text.toUpperCase();
    if (letter === 'z') return flags.includes('::') ? '+00:00:00' : flags.includes(':') ? '+00:00' : text;
    if (letter === 'N') return width ? text.slice(0, Number(width)) : text;
    const numeric = 'YCymdeHkIlMSsjuwUVWGg'.includes(letter);
    const bare = numeric ? text.replace(/^[ 0]+(?=\d)/, '') : text;
    if (flags.includes('-')) return bare;
    const fill = flags.includes('_') ? ' ' : flags.includes('0') ? '0' : numeric ? (/[ekl]/.test(letter) ? ' ' : '0') : ' ';
    return width || /[_0]/.test(flags) ? bare.padStart(Math.max(Number(width ?? 0), numeric ? text.length : 0), fill) : text;
  });
}

/** ISO 8601's week: weeks begin on Monday, the first has the year's first Thursday. */
function isoWeek(year: number, yday: number, weekday: number): { year: number; week: number } {
  const leap = (y: number) => (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0;
  const week = Math.floor((yday - (weekday || 7) + 10) / 7);
  const weeksIn = (y: number) => {
    const lastDay = (n: number) => (n + Math.floor(n / 4) - Math.floor(n / 100) + Math.floor(n / 400)) % 7;
    return lastDay(y) === 4 || lastDay(y - 1) === 3 ? 53 : 52;
  };
  if (week < 1) return { year: year - 1, week: weeksIn(year - 1) };
  if (week > weeksIn(year) || yday > (leap(year) ? 366 : 365)) return { year: year + 1, week: 1 };
  return { year, week };
}
