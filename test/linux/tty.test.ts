import { expect, it } from 'vitest';
import { lineDiscipline, withCarriageReturns } from '../../src/linux/tty.ts';
import { bytesToString, stringToBytes } from '../../src/sim/bytes.ts';
import { newPipe } from '../../src/sim/pipe.ts';

function terminal() {
  const seen = { lines: [] as string[], echo: '', signals: [] as string[] };
  const program = newPipe({ sink: c => seen.lines.push(bytesToString(c)) });
  const type = lineDiscipline({ program, echo: t => (seen.echo += t), signal: s => seen.signals.push(s) });
  return { seen, program, type: (text: string) => type(stringToBytes(text)) };
}

it('gives a line when Enter is pressed, and echoes the keys', () => {
  const t = terminal();
  t.type('lx');
  t.type('\x7fs\r');
  expect(t.seen).toMatchObject({ lines: ['ls\n'], echo: 'lx\b \bs\r\n' });
});

it('recalls earlier lines', () => {
  const t = terminal();
  t.type('one\rtwo\r\x1b[A\x1b[A\r');
  expect(t.seen.lines).toEqual(['one\n', 'two\n', 'one\n']);
});

it('interrupts, drops what was typed, and ends at ^D', () => {
  const t = terminal();
  t.type('half\x03\r\x04');
  expect(t.seen.signals).toEqual(['INT']);
  expect(t.seen.lines).toEqual(['\n']);
  expect(t.program.closed).toBe(true);
});

it('returns the carriage', () => {
  expect(bytesToString(withCarriageReturns(stringToBytes('a\nb\r\n')))).toBe('a\r\nb\r\n');
});
