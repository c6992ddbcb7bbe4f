// Dates as GNU tools read them (gnulib lib/parse-datetime.y): absolute items say where, relative ones move from there.
import { civilTime, daysFromCivil } from '../../sim/time.ts';

type Token = { kind: 'number'; value: number; digits: number; signed: boolean; fraction: number } | { kind: 'word' | 'mark'; text: string };

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const DAYS = 'sunday monday tuesday wednesday thursday friday saturday'.split(' ');
const DAY_NAMES: Record<string, number> = { tues: 2, wednes: 3, thur: 4, thurs: 4 };
const ORDINALS: Record<string, number> = { last: -1, this: 0, next: 1, first: 1, third: 3, fourth: 4, fifth: 5, sixth: 6, seventh: 7 };
Object.assign(ORDINALS, { eighth: 8, ninth: 9, tenth: 10, eleventh: 11, twelfth: 12 });
const SHIFTS: Record<string, number> = { tomorrow: 1, yesterday: -1, today: 0, now: 0 };
/** Hours east of Greenwich. */
const ZONES: Record<string, number> = { gmt: 0, ut: 0, utc: 0, z: 0, wet: 0, west: 1, bst: 1, cet: 1, cest: 2, met: 1, eet: 2, eest: 3 };
Object.assign(ZONES, { msk: 3, ist: 5.5, jst: 9, est: -5, edt: -4, cst: -6, cdt: -5, mst: -7, mdt: -6, pst: -8, pdt: -7 });

type Unit = 'year' | 'month' | 'day' | 'hour' | 'minute' | 'second';
const UNITS: Record<string, [Unit, number]> = {
  year: ['year', 1],
  month: ['month', 1],
  fortnight: ['day', 14],
  week: ['day', 7],
  day: ['day', 1],
  hour: ['hour', 1],
  minute: ['minute', 1],
  min: ['minute', 1],
  second: ['second', 1],
  sec: ['second', 1],
};

function tokens(text: string): Token[] | null {
  const list: Token[] = [];
  let rest = text.replace(/\([^()]*\)/g, ' ');
  for (;;) {
    rest = rest.replace(/^\s+/, '');
    if (!rest) return list;
    const number = /^([+-]+\s*)?(\d+)(?:[.,](\d+))?/.exec(rest);
    const word = /^[A-Za-z][A-Za-z.]*/.exec(rest);
    if (number) {
      // A comma or point belongs to the number when digits follow.
      const sign = number[1]?.trim().slice(-1) === '-' ? -1 : 1;
      const value = sign * Number(number[2]);
      list.push({ kind: 'number', value, digits: number[2].length, signed: !!number[1], fraction: Number(`0.${number[3] ?? 0}`) });
      rest = rest.slice(number[0].length);
    } else if (word) {
      list.push({ kind: 'word', text: word[0].toLowerCase().replaceAll('.', '') });
      rest = rest.slice(word[0].length);
    } else {
      if (!':/,-+'.includes(rest[0])) return null;
      list.push({ kind: 'mark', text: rest[0] });
      rest = rest.slice(1);
    }
  }
}

const named = (names: string[], word: string): number => names.findIndex(n => n === word || n.slice(0, 3) === word);
const monthOf = (word: string): number => (word === 'sept' ? 8 : named(MONTHS, word)) + 1;
const weekdayOf = (word: string): number => DAY_NAMES[word] ?? named(DAYS, word);
const unitOf = (word: string): [Unit, number] | undefined => UNITS[word] ?? UNITS[word.replace(/s$/, '')];
const fullYear = (value: number, digits: number): number => (digits > 2 ? value : value < 69 ? 2000 + value : 1900 + value);

interface Reading {
  list: Token[];
  at: number;
  date: [year: number | null, month: number, day: number] | null;
  yearGiven: boolean;
  time: [hour: number, minute: number, second: number] | null;
  /** Hours. */
  zone: number | null;
  weekday: { number: number; ordinal: number } | null;
  moved: boolean;
  by: Record<Unit, number>;
  /** Something was said twice. */
  twice: boolean;
}

const peek = (r: Reading, n = 0): Token | undefined => r.list[r.at + n];
function isMark(r: Reading, n: number, text: string): boolean {
  const t = peek(r, n);
  return t?.kind === 'mark' && t.text === text;
}
function numberAt(r: Reading, n: number): Extract<Token, { kind: 'number' }> | null {
  const t = peek(r, n);
  return t?.kind === 'number' ? t : null;
}
const wordAt = (r: Reading, n: number): string => {
  const t = peek(r, n);
  return t?.kind === 'word' ? t.text : '';
};

function setDate(r: Reading, year: number | null, month: number, day: number): boolean {
  if (r.date) r.twice = true;
  r.date = [year, month, day];
  r.yearGiven ||= year !== null;
  return true;
}

/** `ago` turns everything relative that stands right before it. */
function move(r: Reading, word: string, count: number): boolean {
  const unit = unitOf(word);
  if (!unit) return false;
  const sign = wordAt(r, 0) === 'ago' ? -1 : 1;
  if (sign < 0) r.at++;
  r.by[unit[0]] += count * unit[1] * sign;
  r.moved = true;
  return true;
}

/** `+02`, `+0200` or `+02:00` behind a time or a zone's name. */
function zoneOffset(r: Reading): number | null {
  const t = numberAt(r, 0);
  if (!t?.signed) return null;
  r.at++;
  const size = Math.abs(t.value);
  let minutes = t.digits <= 2 ? size * 60 : Math.floor(size / 100) * 60 + (size % 100);
  if (t.digits <= 2 && isMark(r, 0, ':') && numberAt(r, 1)) {
    minutes += numberAt(r, 1)?.value ?? 0;
    r.at += 2;
  }
  return ((t.value < 0 ? -1 : 1) * minutes) / 60;
}

function setZone(r: Reading, hours: number): boolean {
  if (r.zone !== null || Math.abs(hours) > 24) r.twice = true;
  r.zone = hours;
  return true;
}

function meridian(r: Reading, hour: number): number | null {
  const word = wordAt(r, 0);
  if (word !== 'am' && word !== 'pm') return hour > 24 ? null : hour;
  r.at++;
  return hour < 1 || hour > 12 ? null : (hour % 12) + (word === 'pm' ? 12 : 0);
}

function clock(r: Reading, first: Extract<Token, { kind: 'number' }>): boolean {
  let minute = 0;
  let second = 0;
  if (isMark(r, 0, ':')) {
    const m = numberAt(r, 1);
    if (!m) return false;
    r.at += 2;
    minute = m.value;
    const s = isMark(r, 0, ':') ? numberAt(r, 1) : null;
    if (s) {
      r.at += 2;
      second = s.value + s.fraction;
    }
  }
  const hour = meridian(r, first.value);
  if (hour === null || minute > 59 || second >= 61) return false;
  if (r.time) r.twice = true;
  r.time = [hour, minute, second];
  const offset = zoneOffset(r);
  return offset === null || setZone(r, offset);
}

function fromNumber(r: Reading, t: Extract<Token, { kind: 'number' }>): boolean {
  const word = wordAt(r, 0);
  if (!t.signed) {
    if (isMark(r, 0, ':') || word === 'am' || word === 'pm') return clock(r, t);
    const [b, c] = [numberAt(r, 0), numberAt(r, 1)];
    // 2023-11-14: the hyphens are the numbers' signs to the lexer.
    if (b?.signed && b.value <= 0 && c?.signed && c.value <= 0) {
      r.at += 2;
      return setDate(r, fullYear(t.value, t.digits), -b.value, -c.value);
    }
    if (isMark(r, 0, '/')) return slashes(r, t);
    const month = monthOf(isMark(r, 0, '-') ? wordAt(r, 1) : word);
    if (month) {
      r.at += isMark(r, 0, '-') ? 2 : 1;
      const year = numberAt(r, 0);
      // `14 Nov 2023`, `14-Nov-2023`; a number that begins a time is no year.
      if (!year || isMark(r, 1, ':') || (year.signed && year.value > 0)) return setDate(r, null, month, t.value);
      r.at++;
      return setDate(r, fullYear(Math.abs(year.value), year.digits), month, t.value);
    }
  }
  const weekday = weekdayOf(word);
  if (weekday >= 0 && !t.signed) {
    r.at++;
    return setWeekday(r, weekday, t.value);
  }
  if (unitOf(word)) {
    r.at++;
    return move(r, word, t.value);
  }
  return t.signed ? false : bare(r, t);
}

function slashes(r: Reading, a: Extract<Token, { kind: 'number' }>): boolean {
  const b = numberAt(r, 1);
  if (!b) return false;
  r.at += 2;
  const c = isMark(r, 0, '/') ? numberAt(r, 1) : null;
  if (!c) return setDate(r, null, a.value, b.value);
  r.at += 2;
  return a.digits >= 4 ? setDate(r, a.value, b.value, c.value) : setDate(r, fullYear(c.value, c.digits), a.value, b.value);
}

/** Digits alone: a year behind a date, YYYYMMDD, HHMM or an hour. */
function bare(r: Reading, t: Extract<Token, { kind: 'number' }>): boolean {
  if (r.date && !r.yearGiven && !r.moved && (r.time || t.digits > 2)) {
    r.date[0] = fullYear(t.value, t.digits);
    r.yearGiven = true;
    return true;
  }
  if (t.digits > 4) {
    const year = Math.floor(t.value / 10_000);
    return setDate(r, fullYear(year, t.digits - 4), Math.floor(t.value / 100) % 100, t.value % 100);
  }
  const hour = t.digits <= 2 ? t.value : Math.floor(t.value / 100);
  const minute = t.digits <= 2 ? 0 : t.value % 100;
  if (r.time) r.twice = true;
  r.time = [hour, minute, 0];
  return hour < 24 && minute < 60;
}

function setWeekday(r: Reading, number: number, ordinal: number): boolean {
  if (r.weekday) r.twice = true;
  r.weekday = { number, ordinal };
  return true;
}

function fromWord(r: Reading, word: string): boolean {
  if (word in SHIFTS) {
    r.by.day += SHIFTS[word] * (wordAt(r, 0) === 'ago' ? -1 : 1);
    r.moved = true;
    return true;
  }
  const weekday = weekdayOf(word);
  if (weekday >= 0) {
    if (isMark(r, 0, ',')) r.at++;
    return setWeekday(r, weekday, 0);
  }
  if (word in ORDINALS) {
    const next = wordAt(r, 0);
    const day = weekdayOf(next);
    if (!next || (day < 0 && !unitOf(next))) return false;
    r.at++;
    return day >= 0 ? setWeekday(r, day, ORDINALS[word]) : move(r, next, ORDINALS[word]);
  }
  const month = monthOf(word);
  if (month) {
    const day = numberAt(r, 0);
    if (!day) return false;
    r.at++;
    if (isMark(r, 0, ',')) r.at++;
    const year = numberAt(r, 0);
    if (!year || year.signed || isMark(r, 1, ':') || year.digits < 3) return setDate(r, null, month, Math.abs(day.value));
    r.at++;
    return setDate(r, fullYear(year.value, year.digits), month, Math.abs(day.value));
  }
  if (unitOf(word)) return move(r, word, 1);
  // ISO 8601's T stands between a date and a time.
  if (word === 't') return numberAt(r, 0) !== null;
  if (word in ZONES) {
    // `Z + 90 minutes` moves; `UTC+2` is another zone.
    const offset = unitOf(wordAt(r, 1)) ? null : zoneOffset(r);
    return setZone(r, ZONES[word] + (offset ?? 0));
  }
  return false;
}

/** Milliseconds since 1970, or null: no date. `now` gives what the text leaves out. UTC is the zone. */
export function parseGnuDate(text: string, now: number): number | null {
  const stamp = /^\s*@\s*([+-]?\d+(?:[.,]\d+)?)\s*$/.exec(text);
  if (stamp) return Number(stamp[1].replace(',', '.')) * 1000;
  const list = tokens(text);
  if (!list) return null;
  const by = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  const blank = { date: null, yearGiven: false, time: null, zone: null, weekday: null, moved: false, twice: false };
  const r: Reading = { list, at: 0, ...blank, by };
  while (r.at < list.length) {
    const t = list[r.at++];
    if (t.kind === 'mark') {
      if (t.text !== ',') return null;
    } else if (!(t.kind === 'number' ? fromNumber(r, t) : fromWord(r, t.text))) return null;
  }
  return r.twice ? null : resolve(r, now);
}

function resolve(r: Reading, now: number): number | null {
  const today = civilTime(now);
  const [year, month, day] = r.date ?? [today.year, today.month, today.day];
  const date = { year: year ?? today.year, month, day };
  const first = daysFromCivil(date.year, date.month, 1);
  if (month < 1 || month > 12 || day < 1 || civilTime((first + day - 1) * 86_400_000).month !== month) return null;
  const keepsClock = r.moved && !r.date && !r.weekday;
  const seconds = r.time
    ? r.time[0] * 3600 + r.time[1] * 60 + r.time[2]
    : keepsClock
      ? (now - Math.floor(now / 86_400_000) * 86_400_000) / 1000
      : 0;
  const months = date.year * 12 + date.month - 1 + r.by.year * 12 + r.by.month;
  let days = daysFromCivil(Math.floor(months / 12), (months % 12) + 1, date.day) + r.by.day;
  if (r.weekday && !r.date) {
    const weekday = civilTime(daysFromCivil(date.year, date.month, date.day) * 86_400_000).weekday;
    const { number, ordinal } = r.weekday;
    days += ((number - weekday + 7) % 7) + 7 * (ordinal - (ordinal > 0 && weekday !== number ? 1 : 0));
  }
  const moved = r.by.hour * 3600 + r.by.minute * 60 + r.by.second;
  return days * 86_400_000 + (seconds + moved - (r.zone ?? 0) * 3600) * 1000;
}

/** BusyBox' forms (libbb/time.c): @N, HH:MM[:SS], [YYYY.]MM.DD-HH:MM[:SS], YYYY-MM-DD [HH:MM[:SS]], [[[[[YY]YY]MM]DD]hh]mm[.ss]. */
export function parseBusyboxDate(text: string, now: number): number | null {
  const stamp = /^@(-?\d+)$/.exec(text);
  if (stamp) return Number(stamp[1]) * 1000;
  const c = civilTime(now);
  const at = (y: number, mo: number, d: number, h: number, mi: number, s: number): number =>
    (daysFromCivil(y, mo, d) * 86_400 + h * 3600 + mi * 60 + s) * 1000;
  const n = (m: RegExpExecArray) => m.slice(1).map(x => Number(x ?? 0));
  let m = /^(\d+):(\d+)(?::(\d+))?$/.exec(text);
  if (m) return at(c.year, c.month, c.day, n(m)[0], n(m)[1], n(m)[2]);
  m = /^(?:(\d+)\.)?(\d+)\.(\d+)-(\d+):(\d+)(?::(\d+))?$/.exec(text);
  if (m) return at(m[1] ? n(m)[0] : c.year, n(m)[1], n(m)[2], n(m)[3], n(m)[4], n(m)[5]);
  m = /^(\d+)-(\d+)-(\d+)(?:[ T](\d+)(?::(\d+)(?::(\d+))?)?)?$/.exec(text);
  if (m) return at(n(m)[0], n(m)[1], n(m)[2], n(m)[3], n(m)[4], n(m)[5]);
  m = /^(?:(?:(?:(\d\d(?:\d\d)?)?(\d\d))?(\d\d))?(\d\d))?(\d\d)(?:\.(\d\d))?$/.exec(text);
  if (!m) return null;
  const year = m[1] === undefined ? c.year : fullYear(Number(m[1]), m[1].length);
  return at(year, Number(m[2] ?? c.month), Number(m[3] ?? c.day), Number(m[4] ?? c.hour), Number(m[5]), Number(m[6] ?? 0));
}
