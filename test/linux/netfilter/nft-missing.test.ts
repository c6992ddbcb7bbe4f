// Names that are not there: who says so, and what else was meant (nft 1.0.6).
import { expect, test } from 'vitest';
import { newPlace, say } from '../../kernel/say.ts';

function nft(...before: string[]) {
  const ns = newPlace(1);
  const run = (line: string) => say(ns, { argv: ['nft', line], stdin: '' });
  for (const line of before) expect(run(line)).toEqual({ code: 0, out: '', err: '' });
  return (line: string) => run(line).err.split('\n')[0];
}

const OWN = 'Error: No such file or directory';
const KERNEL = 'Error: Could not process rule: No such file or directory';

test('of a table that is missing nft itself speaks where it looks for it, and the kernel elsewhere', () => {
  const said = nft();
  for (const line of [
    'add chain t c',
    'add set t s { type ipv4_addr; }',
    'add element t s { 10.0.0.1 }',
    'flush set t s',
    'rename chain t c d',
    'list table t',
  ])
    expect(`${line}: ${said(line)}`).toBe(`${line}: ${OWN}`);
  for (const line of ['add rule t c accept', 'delete chain t c', 'delete table t', 'flush chain t c', 'delete set t s'])
    expect(`${line}: ${said(line)}`).toBe(`${line}: ${KERNEL}`);
});

test('a name that is nearly one that is there is taken for a slip', () => {
  const said = nft(
    'add table t',
    'add table ip6 test',
    'add table inet filter',
    'add chain t cc',
    'add chain t base { type filter hook input priority 0; }',
  );
  expect(said('add chain tt c')).toBe(`${OWN}; did you mean table ‘t’ in family ip?`);
  expect(said('add chain ip6 tes c')).toBe(`${OWN}; did you mean table ‘test’ in family ip6?`);
  expect(said('add chain filte c')).toBe(`${OWN}; did you mean table ‘filter’ in family inet?`);
  expect(said('delete table tt')).toBe(`${OWN}; did you mean table ‘t’ in family ip?`);
  expect(said('add rule t cd accept')).toBe(`${OWN}; did you mean chain ‘cc’ in table ip ‘t’?`);
  expect(said('rename chain t cd x')).toBe(`${OWN}; did you mean chain ‘cc’ in table ip ‘t’?`);
  expect(said('list table tt')).toBe(OWN);
  expect(said('flush chain t cd')).toBe(KERNEL);
});

test('no rule jumps to a base chain, and no chain takes the name of another', () => {
  const said = nft('add table t', 'add chain t cc', 'add chain t base { type filter hook input priority 0; }');
  expect(said('add rule t cc jump base')).toBe('Error: Could not process rule: Operation not supported');
  expect(said('rename chain t cc base')).toBe('Error: Could not process rule: File exists');
  expect(said('rename chain t cc other')).toBe('');
});
