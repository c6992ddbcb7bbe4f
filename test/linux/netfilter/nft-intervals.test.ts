// Elements of sets that overlap, as nft 1.0.6 over Linux 6.18 takes and refuses them.
import { expect, test } from 'vitest';
import { newPlace, say } from '../../kernel/say.ts';

/** `nft -f -` of one line after some others. -> what stands on stderr, or what is listed */
function after(...before: string[]) {
  const ns = newPlace(1);
  const nft = (line: string) => say(ns, { argv: ['nft', line], stdin: '' });
  for (const line of ['add table t', 'add chain t c', ...before]) expect(nft(line)).toEqual({ code: 0, out: '', err: '' });
  return nft;
}

const marks = (line: string, message: string, ...marked: string[]): string => {
  const under = [...line].map(() => ' ');
  marked.forEach((word, i) => {
    const at = word.startsWith('@') ? line.lastIndexOf(word.slice(1)) : line.indexOf(word);
    for (let k = at; k < at + word.replace('@', '').length; k++) under[k] = i ? '~' : '^';
  });
  return `Error: ${message}\n${line}\n${under.join('').trimEnd()}\n`;
};

const INTERVAL = 'add set t s { type ipv4_addr; flags interval; }';
const listed = (nft: ReturnType<typeof after>, what = 'set t s') =>
  /elements = (\{[^}]*\})/.exec(nft(`list ${what}`).out)?.[1].replace(/\s+/g, ' ');

test('an interval neither overlaps one that is there nor another new one; the same one again is nothing new', () => {
  const nft = after(INTERVAL, 'add element t s { 10.0.0.0/24 }');
  for (const wrong of ['10.0.0.5', '10.0.0.0/16', '10.0.0.128-10.0.1.5', '0.0.0.0/0']) {
    const line = `add element t s { ${wrong} }`;
    expect(nft(line)).toEqual({ code: 1, out: '', err: marks(line, 'interval overlaps with an existing one', wrong) });
  }
  const line = 'add element t s { 10.0.3.0-10.0.3.9, 10.0.3.5-10.0.3.20 }';
  expect(nft(line).err).toBe(marks(line, 'conflicting intervals specified', '10.0.3.5-10.0.3.20', '10.0.3.0-10.0.3.9'));
  const nested = 'add element t s { 10.0.1.0/24, 10.0.1.0/25 }';
  expect(nft(nested).err).toBe(marks(nested, 'conflicting intervals specified', '10.0.1.0/24', '10.0.1.0/25'));
  expect(nft('add element t s { 10.0.0.0/24, 10.0.2.0/24, 10.0.2.0/24, 10.0.4.0-10.0.4.9, 10.0.4.10-10.0.4.20 }').code).toBe(0);
  expect(listed(nft)).toBe('{ 10.0.0.0/24, 10.0.2.0/24, 10.0.4.0-10.0.4.9, 10.0.4.10-10.0.4.20 }');
  expect(nft('create element t s { 10.0.0.0/24 }').err).toContain('Could not process rule: File exists');
  const gone = 'delete element t s { 10.0.0.0/25 }';
  expect(nft(gone).err).toBe(marks(gone, 'element does not exist', '10.0.0.0/25'));
  expect(listed(nft)).toContain('10.0.0.0/24');
  expect(nft('get element t s { 10.0.4.5-10.0.4.6 }').out).toContain('elements = { 10.0.4.0-10.0.4.9 }');
  const turned = 'add element t s { 10.9.0.9-10.9.0.1 }';
  expect(nft(turned).err).toBe(marks(turned, 'Range has zero or negative size', '10.9.0.9-10.9.0.1'));
});

test('auto-merge makes one of what overlaps or touches', () => {
  const nft = after('add set t s { type inet_service; flags interval; auto-merge; elements = { 1-10, 5-20, 21, 30 } }');
  expect(listed(nft)).toBe('{ 1-21, 30 }');
  expect(nft('add element t s { 22-29 }').code).toBe(0);
  expect(listed(nft)).toBe('{ 1-30 }');
});

test('a map takes no overlaps, a rule’s own set merges them', () => {
  const nft = after('add map t m { type ipv4_addr : verdict; flags interval; }', 'add element t m { 10.0.0.0/24 : accept }');
  const again = 'add element t m { 10.0.0.0/24 : drop }';
  expect(nft(again).err).toBe(marks(again, 'Could not process rule: File exists', '10.0.0.0/24'));
  const vmap = 'add rule t c tcp dport vmap { 5-20 : accept, 7 : drop }';
  expect(nft(vmap).err).toBe(marks(vmap, 'conflicting intervals specified', '7', '5-20'));
  const twice = 'add rule t c tcp dport vmap { 7 : accept, 7 : drop }';
  expect(nft(twice).err).toBe(marks(twice, 'Could not process rule: File exists', '@7'));
  for (const set of ['80, 81, 5-20', '80, 81', '5-20, 21-30, 7']) expect(nft(`add rule t c tcp dport { ${set} } accept`).code).toBe(0);
  expect(nft('add rule t c ip saddr { 10.0.0.0/25, 10.0.0.128/25 }').code).toBe(0);
  expect(nft('list chain t c').out.match(/\{ [\d./, -]+ \}/g)).toEqual(['{ 5-20, 80-81 }', '{ 80, 81 }', '{ 5-30 }', '{ 10.0.0.0/24 }']);
});

test('of several parts the kernel refuses what begins or ends in one that is there', () => {
  const nft = after('add set t s { type ipv4_addr . inet_service; flags interval; }', 'add element t s { 10.0.0.0/24 . 80 }');
  for (const wrong of ['10.0.0.5 . 80', '10.0.0.0/24 . 80-90']) {
    const line = `add element t s { ${wrong} }`;
    expect(nft(line).err).toBe(marks(line, 'Could not process rule: File exists', wrong));
  }
  expect(nft('add element t s { 10.0.0.0/24 . 80, 10.0.0.5 . 81 }').code).toBe(0);
});

test('the element that is wrong is the one that is marked', () => {
  const nft = after('add set t s { type inet_service; }', 'add element t s { 1, 2 }');
  const gone = 'delete element t s { 1, 9 }';
  expect(nft(gone).err).toBe(marks(gone, 'Could not process rule: No such file or directory', '9'));
  const range = 'add element t s { 5-7 }';
  expect(nft(range).err).toContain("You must add 'flags interval' to your set declaration if you want to add range elements");
  expect(listed(nft)).toBe('{ 1, 2 }');
});
