import { expect, it } from 'vitest';
import { linkByName } from '../../src/linux/link.ts';
import { restoreNetns, snapshotNetns } from '../../src/linux/snapshot.ts';
import { bridge, bridged, machine, newSegment, newWorld } from './world.ts';

const pod = () => {
  const a = machine(newWorld(), 'a', newSegment('lan', 0.1), '192.168.1.1/24');
  return bridged(a.kernel, bridge(a.ns, 'cni0', '10.244.1.1/24'), 'p', '10.244.1.5/24', '10.244.1.1').ns;
};

it('a device that was given another name keeps its other end', () => {
  const before = pod();
  const eth0 = linkByName(before, 'eth0');
  if (eth0) eth0.name = 'eth1';
  const kept = JSON.parse(JSON.stringify(snapshotNetns(before)));
  const again = pod();
  const peer = linkByName(again, 'eth0')?.peer;
  restoreNetns(again, kept);
  expect(linkByName(again, 'eth0')).toBeFalsy();
  expect(peer).toBeTruthy();
  expect(linkByName(again, 'eth1')?.peer).toBe(peer);
  expect(peer?.peer?.name).toBe('eth1');
});
