// A bridge's carrier, as Linux 6.18 shows it.
import { expect, test } from 'vitest';
import { addLink, addVeth, linkByName, removeLink, setMac, setMaster, setUp } from '../../src/linux/link.ts';
import { restoreNetns, snapshotNetns } from '../../src/linux/snapshot.ts';
import type { Netns } from '../../src/linux/types.ts';
import { newPlace, say } from '../kernel/say.ts';

/** What stands between `<` and `>`, and the state. */
function shown(ns: Netns, name: string): string {
  const m = /<(.*)>.* state (\S+)/.exec(say(ns, { argv: ['ip', 'link', 'show', name], stdin: '' }).out);
  return `${m?.[1]} ${m?.[2]}`;
}

const ON = 'BROADCAST,MULTICAST,UP,LOWER_UP UNKNOWN';
const OFF = 'NO-CARRIER,BROADCAST,MULTICAST,UP DOWN';

test('a bridge that has never had a port has carrier, until it gets a port or an address', () => {
  const ns = newPlace(1);
  const never = addLink(ns, { name: 'never', kind: 'bridge' });
  setUp(never, true);
  expect(shown(ns, 'never')).toBe(ON);
  setUp(never, false);
  setUp(never, true);
  expect(shown(ns, 'never')).toBe(ON);
  setMac(never, never.mac);
  expect(shown(ns, 'never')).toBe(ON);
  setMac(never, '02:00:00:00:00:07');
  expect(shown(ns, 'never')).toBe(OFF);
  setUp(addLink(ns, { name: 'given', kind: 'bridge', mac: '02:00:00:00:00:01' }), true);
  expect(shown(ns, 'given')).toBe(OFF);
});

test('once it has had a port, its carrier is its ports', () => {
  const ns = newPlace(1);
  const br = addLink(ns, { name: 'br0', kind: 'bridge' });
  setUp(br, true);
  const [port, end] = addVeth({ netns: ns, name: 'port' }, { netns: ns, name: 'end' });
  setMaster(port, br);
  expect(shown(ns, 'br0')).toBe(OFF);
  setUp(port, true);
  setUp(end, true);
  expect(shown(ns, 'br0')).toBe('BROADCAST,MULTICAST,UP,LOWER_UP UP');
  expect(br.mac).toBe(port.mac);
  setUp(port, false);
  expect(shown(ns, 'br0')).toBe(OFF);
  setUp(port, true);
  removeLink(port);
  expect(shown(ns, 'br0')).toBe(OFF);
  expect(br.mac).toBe('00:00:00:00:00:00');
  const again = newPlace(1);
  restoreNetns(again, snapshotNetns(ns));
  expect(shown(again, 'br0')).toBe(OFF);
  expect(linkByName(again, 'br0')?.portsSelected).toBe(true);
});
