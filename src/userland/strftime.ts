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
  const expanded = format.replace(/%([FTXRDxrc])/g, (_, l) => composite[l]);
  return expanded.replace(/%(-|_|0|\^|:)?(\d+)?([A-Za-z%])/g, (all, flag, width, letter) => {
    let text = one(letter);
    if (text === null) return all;
    if (flag === '-') text = text.replace(/^[0 ]+(?=\d)/, '');
    else if (flag === '^') text = text.toUpperCase();
    else if (flag === ':') text = '+00:00';
    else if (flag === '_') text = text.replace(/^0+(?=\d)/, z => ' '.repeat(z.length));
    if (letter === 'N' && width) return text.slice(0, Number(width));
    return text;
  });
}
