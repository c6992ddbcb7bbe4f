// Sizes, speeds, dots and bars of GNU Wget (src/progress.c, src/retr.c, src/utils.c, 1.21.3).

/** human_readable: `accuracy` is the value below which decimals are shown. */
export function humanSize(n: number, accuracy = 10, decimals = 1): string {
  if (n < 1024) return String(n);
  const units = ['K', 'M', 'G', 'T'];
  let value = n / 1024;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value < accuracy ? value.toFixed(decimals) : value.toFixed(0)}${units[unit]}`;
}

/** calc_rate. No download is faster than the clock can tell. */
function rate(bytes: number, seconds: number, bits = false): [number, string] {
  const base = bits ? 1000 : 1024;
  let value = (bits ? bytes * 8 : bytes) / Math.max(seconds, 0.000001);
  let unit = '';
  for (const next of ['K', 'M', 'G']) {
    if (value < base) break;
    value /= base;
    unit = next;
  }
  return [value, unit];
}

const threeDigits = (v: number): string => (v < 9.995 ? v.toFixed(2) : v < 99.95 ? v.toFixed(1) : v.toFixed(0));

export function speed(bytes: number, seconds: number, bits = false): string {
  const [value, unit] = rate(bytes, seconds, bits);
  return `${threeDigits(value)} ${unit}${bits ? 'b' : 'B'}/s`;
}

/** print_decimal. */
export function decimal(n: number): string {
  if (n >= 9.95) return n.toFixed(0);
  if (n >= 0.95) return n.toFixed(1);
  if (n >= 0.001) return String(Number(n.toPrecision(1)));
  return n >= 0.0005 ? n.toFixed(3) : '0';
}

/** eta_to_human_short, condensed as the dots show it; `gap` stands between two units. */
function shortTime(seconds: number, gap: string): string {
  const s = Math.round(seconds);
  if (s < 100) return `${s}s`;
  if (s < 100 * 60) return `${Math.floor(s / 60)}m${gap}${s % 60}s`;
  if (s < 48 * 3600) return `${Math.floor(s / 3600)}h${gap}${Math.floor(s / 60) % 60}m`;
  return `${Math.floor(s / 86400)}d${gap}${Math.floor(s / 3600) % 24}h`;
}

/** secs_to_human_time: of the summary. */
export function longTime(seconds: number): string {
  const s = Math.floor(seconds + 0.5);
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d) return `${d}d ${h}h ${m}m ${s % 60}s`;
  if (h) return `${h}h ${m}m ${s % 60}s`;
  return m ? `${m}m ${s % 60}s` : `${decimal(seconds)}s`;
}

/** A gauge that says what it shows as bytes come in. Times are seconds since the download began. */
export interface Gauge {
  update: (bytes: number, seconds: number) => void;
  finish: (seconds: number) => void;
}

/** Bytes of a dot, dots of a cluster, dots of a line. */
const STYLES: Record<string, [bytes: number, spacing: number, line: number]> = {
  default: [1024, 10, 50],
  binary: [8192, 16, 48],
  mega: [65_536, 8, 48],
  giga: [1 << 20, 8, 32],
};

export const isDotStyle = (name: string): boolean => name.toLowerCase() in STYLES;

export function dots(say: (text: string) => void, o: { initial: number; total: number; style?: string }): Gauge {
  const [dot, spacing, line] = STYLES[(o.style ?? 'default').toLowerCase()] ?? STYLES.default;
  const row = dot * line;
  let accumulated = 0;
  let drawn = 0;
  let rows = 0;
  let rowBegan = 0;
  const begin = () => say(`\n${String(Math.floor((rows * row) / 1024)).padStart(6)}K`);
  const put = (c: string) => {
    say((drawn % spacing === 0 ? ' ' : '') + c);
    drawn++;
  };
  const stats = (seconds: number, last: boolean) => {
    const shown = rows * row + drawn * dot + (last ? accumulated : 0);
    const percent = o.total ? `${String(Math.floor((100 * shown) / o.total)).padStart(3)}%` : '';
    const own = (last ? drawn * dot + accumulated : row) - (rows === Math.floor(o.initial / row) ? o.initial % row : 0);
    const [value, unit] = rate(own, seconds - rowBegan);
    rowBegan = seconds;
    const left = (seconds * Math.max(0, o.total - shown)) / Math.max(1, shown - o.initial);
    const took = seconds >= 10 ? shortTime(seconds, '') : `${decimal(seconds)}s`;
    say(`${percent} ${threeDigits(value).padStart(4)}${unit || ' '}${last ? `=${took}` : o.total ? ` ${shortTime(left, '')}` : ''}`);
  };
  if (o.initial) {
    const skipped = o.initial - (o.initial % row);
    const k = String(Math.floor(skipped / 1024));
    if (skipped) say(`\n${' '.repeat(2 + Math.max(6, k.length))}[ skipping ${k}K ]`);
    say(`\n${k.padStart(6)}K`);
    for (accumulated = o.initial % row; accumulated >= dot; accumulated -= dot) put(',');
    rows = skipped / row;
  }
  return {
    update: (bytes, seconds) => {
      for (accumulated += bytes; accumulated >= dot; ) {
        accumulated -= dot;
        if (drawn === 0) begin();
        put('.');
        if (drawn < line) continue;
        rows++;
        drawn = 0;
        // The line's own figures, as those of a line that is over: its dots are none any more.
        stats(seconds, false);
      }
    },
    finish: seconds => {
      if (drawn === 0) begin();
      for (let i = drawn; i < line; i++) say(i % spacing === 0 ? '  ' : ' ');
      stats(seconds, true);
      say('\n\n');
    },
  };
}

const NAME_COLUMNS = 19;
const BAR_COLUMNS = 20;

/** The bar of a terminal of 80 columns: as it begins, and as it ends. */
export function bar(say: (text: string) => void, o: { initial: number; total: number; name: string }): Gauge {
  let size = o.initial;
  const name = o.name.slice(0, NAME_COLUMNS).padEnd(NAME_COLUMNS + 1);
  const image = (tail: string): string => {
    const share = o.total ? Math.min(1, size / o.total) : 0;
    const done = Math.floor(BAR_COLUMNS * share);
    const known = `[${done ? `${'='.repeat(done - 1)}>` : ''}${' '.repeat(BAR_COLUMNS - done)}]`;
    const text = o.total
      ? `${`${Math.floor(100 * share)}%`.padStart(4)}${known}`
      : `    [${size ? ' ' : ''}<=>${' '.repeat(size ? 16 : 17)}]`;
    return `\r${name}${text} ${humanSize(size, 1000, 2).padStart(7)}  ${tail}`;
  };
  say(image('--.-KB/s               '));
  return {
    update: bytes => {
      size += bytes;
    },
    finish: seconds => {
      const [value, unit] = rate(size - o.initial, seconds);
      const fast = seconds < 0.2 ? '--.-K' : `${threeDigits(value).padStart(4)}${unit || ' '}`;
      const took = seconds >= 10 ? shortTime(seconds, ' ') : `${decimal(seconds)}s`;
      say(`${image(`${fast}B/s    in ${took}`.padEnd(23))}\n\n`);
    },
  };
}
