// Sets of ports: sorted, merged, inclusive intervals per protocol.
export const PROTOCOLS = ['TCP', 'UDP', 'SCTP'] as const;
export type Protocol = (typeof PROTOCOLS)[number];
export type Interval = [number, number];
export type PortSet = Record<Protocol, Interval[]>;

export const noPorts = (): PortSet => ({ TCP: [], UDP: [], SCTP: [] });
export const allPorts = (): PortSet => ({ TCP: [[1, 65535]], UDP: [[1, 65535]], SCTP: [[1, 65535]] });
export const isEmpty = (s: PortSet): boolean => !s.TCP.length && !s.UDP.length && !s.SCTP.length;

const merge = (list: Interval[]): Interval[] => {
  const out: Interval[] = [];
  for (const [lo, hi] of [...list].sort((a, b) => a[0] - b[0])) {
    const last = out[out.length - 1];
    if (last && lo <= last[1] + 1) last[1] = Math.max(last[1], hi);
    else out.push([lo, hi]);
  }
  return out;
};

const each = (f: (p: Protocol) => Interval[]): PortSet => ({ TCP: f('TCP'), UDP: f('UDP'), SCTP: f('SCTP') });

export const union = (a: PortSet, b: PortSet): PortSet => each(p => (b[p].length ? merge([...a[p], ...b[p]]) : a[p]));

export const intersect = (a: PortSet, b: PortSet): PortSet =>
  each(p => {
    const out: Interval[] = [];
    for (const [x, y] of a[p]) {
      for (const [u, v] of b[p]) if (Math.max(x, u) <= Math.min(y, v)) out.push([Math.max(x, u), Math.min(y, v)]);
    }
    return merge(out);
  });

export const subtract = (a: PortSet, b: PortSet): PortSet =>
  each(p => {
    let rest = a[p];
    for (const [u, v] of b[p]) {
      rest = rest.flatMap(([x, y]): Interval[] => {
        if (v < x || u > y) return [[x, y]];
        const out: Interval[] = [];
        if (x < u) out.push([x, u - 1]);
        if (y > v) out.push([v + 1, y]);
        return out;
      });
    }
    return rest;
  });

export const sameSet = (a: PortSet, b: PortSet): boolean => JSON.stringify(a) === JSON.stringify(b);

export function addPorts(set: PortSet, protocol: Protocol, lo: number, hi: number): void {
  if (lo <= hi) set[protocol] = merge([...set[protocol], [lo, hi]]);
}
