import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change, KubeObject } from '../../src/apiserver/types.ts';
import { commit, compact, loadBucket, openSession, refresh, replaceAll, SessionError, wantsCompaction } from '../../src/cli/session.ts';

let home: string;
beforeEach(() => {
  home = fs.mkdtempSync(join(tmpdir(), 'podnet-session-'));
});
afterEach(() => fs.rmSync(home, { recursive: true, force: true }));

const put = (key: string, value: unknown, bucket = 'things'): Change => ({ bucket, key, object: value as KubeObject | null });
const open = () => openSession(home, () => [put('first', 1)]);
const things = (s: ReturnType<typeof open>) => Object.fromEntries(loadBucket(s, 'things'));

describe('a session', () => {
  it('begins with what it was created with, once', () => {
    expect(things(open())).toEqual({ first: 1 });
    expect(things(openSession(home, () => [put('second', 2)]))).toEqual({ first: 1 });
  });

  it('shows a commit to whoever opens it next, and deletions too', () => {
    const s = open();
    expect(commit(s, [put('a', { n: 1 }), put('first', null)])).toBe(true);
    expect(things(s)).toEqual({ a: { n: 1 } });
    expect(things(open())).toEqual({ a: { n: 1 } });
  });

  it('lets one of two writers win, and the other begin again on the new state', () => {
    const [x, y] = [open(), open()];
    expect(commit(x, [put('x', 1)])).toBe(true);
    expect(commit(y, [put('y', 1)])).toBe(false);
    expect(refresh(y)).toBe('new');
    expect(commit(y, [put('y', 1)])).toBe(true);
    expect(things(open())).toEqual({ first: 1, x: 1, y: 1 });
  });

  it('keeps everything over compactions, whoever still holds an older epoch', () => {
    const old = open();
    const s = open();
    for (let i = 0; i < 30; i++) expect(commit(s, [put(`k${i}`, i)])).toBe(true);
    expect(wantsCompaction(s)).toBe(true);
    expect(compact(s)).toBe(true);
    expect(wantsCompaction(s)).toBe(false);
    expect(commit(old, [put('late', 1)])).toBe(false);
    expect(Object.keys(things(open())).length).toBe(31);
    for (let round = 0; round < 4; round++) {
      const t = open();
      commit(t, [put(`r${round}`, round)]);
      expect(compact(t)).toBe(true);
    }
    expect(Object.keys(things(open())).length).toBe(35);
    // The epoch of `old` has been swept away by now: it cannot commit into nothing.
    expect(commit(old, [put('late', 1)])).toBe(false);
    expect(fs.readdirSync(join(home, 'state')).filter(f => /^e\d/.test(f)).length).toBeLessThanOrEqual(3);
  });

  it('is compacted without reading or writing what nobody changed', () => {
    const s = open();
    commit(s, [put('a', 1)]);
    compact(s);
    const file = (epoch: string, bucket: string) => fs.statSync(join(home, 'state', epoch, `${bucket}.json`)).ino;
    const before = s.epoch;
    commit(s, [put('b', 2, 'others')]);
    expect(compact(s)).toBe(true);
    expect(file(s.epoch, 'things')).toBe(file(before, 'things'));
    const again = open();
    expect(things(again)).toEqual({ first: 1, a: 1 });
    expect([...loadBucket(again, 'others').keys()]).toEqual(['b']);
  });

  it('is replaced as a whole', () => {
    const s = open();
    expect(replaceAll(s, [put('other', 1)])).toBe(true);
    expect(things(open())).toEqual({ other: 1 });
  });

  it('is read from the root when the hints are gone', () => {
    const s = open();
    commit(s, [put('a', 1)]);
    compact(s);
    for (const f of fs.readdirSync(join(home, 'state'))) if (f.startsWith('hint-')) fs.rmSync(join(home, 'state', f));
    expect(things(open())).toEqual({ first: 1, a: 1 });
  });

  it('says which file is damaged, and what to do', () => {
    const s = open();
    commit(s, [put('a', 1)]);
    const log = join(home, 'state', s.epoch, 'log', '00000001');
    fs.writeFileSync(log, '{"changes":[');
    expect(() => open()).toThrow(SessionError);
    expect(() => open()).toThrow(/00000001 is damaged .*cluster reset/);
  });

  it('says that it cannot write', () => {
    if (process.getuid?.() === 0) return; // root writes anyway
    fs.chmodSync(home, 0o500);
    expect(() => open()).toThrow(/cannot write .*permission denied/);
    fs.chmodSync(home, 0o700);
  });
});
