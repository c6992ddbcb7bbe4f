// Sizes, speeds, dots and bars of GNU Wget (src/progress.c, src/utils.c).

export function humanSize(n: number): string {
  const units = ['K', 'M', 'G'];
  let value = n / 1024;
  let unit = 0;
  while (value >= 1024 && unit < 2) {
    value /= 1024;
    unit++;
  }
  return `${value < 10 ? value.toFixed(1) : value.toFixed(0)}${units[unit]}`;
}

function rate(bytes: number, seconds: number): [number, string] {
  let value = bytes / Math.max(seconds, 0.000001);
  let unit = '';
  for (const next of ['K', 'M', 'G']) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return [value, unit];
}

function threeDigits(v: number): string {
  return v < 9.995 ? v.toFixed(2) : v < 99.95 ? v.toFixed(1) : v.toFixed(0);
}

export function speed(bytes: number, seconds: number): string {
  const [value, unit] = rate(bytes, seconds);
  return `${threeDigits(value)} ${unit}B/s`;
}

/** The dots of a file or pipe, the bar of a terminal. */
export function progress(tty: boolean, received: number, total: number | null, seconds: number, name: string): string {
  const [value, unit] = rate(received, seconds);
  const short = `${threeDigits(value)}${unit}`;
  const took = seconds < 0.0005 ? '0s' : seconds < 10 ? `${seconds.toFixed(seconds < 0.1 ? 3 : 1)}s` : `${seconds.toFixed(0)}s`;
  if (tty) {
    const bar = total === null ? '[ <=>                ]' : '[===================>]';
    const percent = total === null ? '    ' : '100%';
    return `${name.slice(0, 19).padEnd(20)}${percent}${bar} ${String(received).padStart(7)}  --.-KB/s    in ${took}      \n\n`;
  }
  let out = '';
  const rows = Math.max(1, Math.ceil(received / 51_200));
  for (let row = 0; row < rows; row++) {
    const bytes = Math.min(51_200, received - row * 51_200);
    const dots = Math.floor(bytes / 1024);
    let line = '';
    for (let i = 0; i < 50; i++) line += (i % 10 === 0 ? ' ' : '') + (i < dots ? '.' : ' ');
    const upTo = Math.min(received, (row + 1) * 51_200);
    const percent = total ? `${String(Math.floor((upTo * 100) / total)).padStart(3)}%` : '';
    const tail = row === rows - 1 ? `${short.padStart(5)}=${took}` : `${short.padStart(5)} 0s`;
    out += `${String(row * 50).padStart(6)}K${line}${percent} ${tail}\n`;
  }
  return `${out}\n`;
}
