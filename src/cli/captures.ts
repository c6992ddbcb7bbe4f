// A packet capture that waits while other commands run: they write down what passes its device, as soon as that is committed.
// One file per capture under $PODNET_HOME/captures: a line that says what it listens to, then a line per frame.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setFrameObserver } from '../linux/device.ts';
import type { Kernel, Link, Netns, Tap } from '../linux/types.ts';
import { base64, unbase64 } from '../sim/bytes.ts';
import type { Frame } from '../wire/packet.ts';
import type { ClusterHandle, Machine } from './machine.ts';

interface Place {
  pid: number;
  cluster: string;
  /** The machine's host name; the namespace's inner name; the device, null for all of them. */
  machine: string;
  netns: string;
  device: string | null;
}

interface Seen {
  frame: Frame;
  device: string;
  direction: 'in' | 'out';
  atMs: number;
}

const folderOf = (machine: Machine): string => join(machine.home, 'captures');

/** More frames than anybody reads of one command. */
const MOST_FRAMES = 20_000;

const toText = (v: unknown): string => JSON.stringify(v, (_, x) => (x instanceof Uint8Array ? { bytes: base64(x) } : x));

const fromText = (text: string): any =>
  JSON.parse(text, (_, x) => (x !== null && typeof x === 'object' && typeof x.bytes === 'string' ? unbase64(x.bytes) : x));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function firstLine(path: string): Place | null {
  try {
    return JSON.parse(fs.readFileSync(path, 'utf8').split('\n', 1)[0]);
  } catch {
    return null; // gone, or not written yet
  }
}

// -- the side that is looked at

/** Note what others capture while this command runs. -> how to hand it over once the command is committed; null: nobody captures */
export function witness(machine: Machine): (() => void) | null {
  const files: { path: string; place: Place; lines: string[] }[] = [];
  for (const name of fs.readdirSync(folderOf(machine)).sort()) {
    const path = join(folderOf(machine), name);
    const place = firstLine(path);
    if (place && place.pid !== process.pid && isAlive(place.pid)) files.push({ path, place, lines: [] });
    else if (place && !isAlive(place.pid)) fs.rmSync(path, { force: true });
  }
  if (!files.length) return null;
  setFrameObserver(machine.sim, (frame, link, direction, atMs) => {
    for (const f of files) {
      if (!isThere(machine, f.place, link) || f.lines.length >= MOST_FRAMES) continue;
      f.lines.push(`${toText({ frame, device: link.name, direction, atMs } satisfies Seen)}\n`);
    }
  });
  return () => {
    for (const f of files) {
      if (f.lines.length && fs.existsSync(f.path)) fs.appendFileSync(f.path, f.lines.join(''));
      f.lines.length = 0;
    }
  };
}

function isThere(machine: Machine, place: Place, link: Link): boolean {
  const { netns } = link;
  if (netns.name !== place.netns || (place.device !== null && place.device !== link.name)) return false;
  return kernelsOf(machine.clusters.get(place.cluster)).some(k => k === netns.kernel && k.hostname === place.machine);
}

const kernelsOf = (cluster: ClusterHandle | undefined): Kernel[] =>
  [...(cluster?.engine?.nodes.values() ?? [])].flatMap(n => (n.built ? [n.built.kernel] : []));

// -- the side that looks

export interface Captures {
  /** Take in what other commands have written since. */
  follow: () => void;
  end: () => void;
}

/** The captures that programs of this machine have open; null: none. */
export function beginCaptures(machine: Machine): Captures | null {
  const open: { path: string; at: number; tap: Tap; ns: Netns }[] = [];
  for (const [name, cluster] of machine.clusters) {
    for (const kernel of kernelsOf(cluster)) {
      for (const ns of kernel.netns.values()) {
        for (const tap of ns.taps) {
          const device = tap.ifindex === null ? null : (ns.links.get(tap.ifindex)?.name ?? null);
          const place: Place = { pid: process.pid, cluster: name, machine: kernel.hostname, netns: ns.name, device };
          const path = join(folderOf(machine), `${process.pid}-${open.length}`);
          const text = `${JSON.stringify(place)}\n`;
          fs.mkdirSync(folderOf(machine), { recursive: true });
          fs.writeFileSync(path, text);
          open.push({ path, at: Buffer.byteLength(text), tap, ns });
        }
      }
    }
  }
  if (!open.length) return null;
  return {
    follow: () => {
      for (const c of open) {
        const added = readFrom(c.path, c.at);
        const whole = added.subarray(0, added.lastIndexOf(10) + 1);
        c.at += whole.length;
        for (const line of whole.toString('utf8').split('\n')) if (line) show(c.tap, c.ns, fromText(line));
      }
    },
    end: () => {
      for (const c of open) fs.rmSync(c.path, { force: true });
      try {
        fs.rmdirSync(folderOf(machine));
      } catch {
        // Others capture still.
      }
    },
  };
}

function readFrom(path: string, at: number): Buffer {
  try {
    return fs.readFileSync(path).subarray(at);
  } catch {
    return Buffer.alloc(0);
  }
}

function show(tap: Tap, ns: Netns, seen: Seen): void {
  const link = [...ns.links.values()].find(l => l.name === seen.device);
  if (link) tap.seen(seen.frame, link, seen.direction, seen.atMs);
}
