// What the kubelets say their containers use. The simulation has no processors: idle programs use what such programs use when idle, and
// programs that are made to burn burn what they are told and may.
import { parseQuantity } from '../../apiserver/quantity.ts';
import type { KubeObject } from '../../apiserver/types.ts';
import { stringToBytes } from '../../sim/bytes.ts';
import { sha256 } from '../../sim/sha256.ts';

export interface Usage {
  nanoCores: number;
  bytes: number;
}

const MI = 2 ** 20;

/** Image, millicores and MiB when idle; the first that matches. */
const IDLE: [image: RegExp, milli: number, mi: number][] = [
  [/kube-apiserver/, 46, 270],
  [/\/etcd/, 21, 58],
  [/kube-controller-manager/, 17, 52],
  [/kube-scheduler/, 5, 24],
  [/coredns/, 2, 16],
  [/calico\/node/, 24, 118],
  [/kube-controllers/, 3, 26],
  [/kube-proxy/, 1, 18],
  [/ingress-nginx\/controller/, 2, 84],
  [/metrics-server/, 4, 22],
  [/metallb/, 3, 34],
  [/envoyproxy/, 5, 42],
  [/mysql|mariadb|percona/, 7, 390],
  [/mongo/, 9, 165],
  [/postgres/, 1, 34],
  [/elasticsearch|opensearch|cassandra/, 22, 1180],
  [/redis|valkey/, 3, 5],
  [/tomcat|openjdk|java/, 3, 140],
  [/nginx|httpd|caddy/, 0, 5],
  [/php/, 1, 9],
  [/busybox|alpine|curl|pause/, 0, 0.6],
];

function milli(text: string | undefined): number | null {
  const q = text === undefined ? null : parseQuantity(String(text));
  return q && typeof q !== 'string' ? Number(q.nano / 1_000_000n) : null;
}

/** A container that is made to use processors or memory (stress and its like). */
function burning(container: any): { milli: number; mi: number } {
  const words: string[] = [...(container.command ?? []), ...(container.args ?? [])].map(String);
  if (!/stress/.test(`${container.image} ${words[0] ?? ''}`)) return { milli: 0, mi: 0 };
  const after = (names: string[]) => {
    const i = words.findIndex(w => names.includes(w));
    return i < 0 ? undefined : words[i + 1];
  };
  const cpus = Number(after(['-cpus', '--cpus', '--cpu', '-c']) ?? 0);
  const size = /^(\d+)([KMG]?)i?B?$/i.exec(after(['--vm-bytes', '-mem-total', '--mem-total']) ?? '');
  const unit = { '': 1 / MI, K: 1 / 1024, M: 1, G: 1024 }[size?.[2].toUpperCase() ?? ''] ?? 0;
  const limit = milli(container.resources?.limits?.cpu);
  return { milli: Math.min(cpus * 1000, limit ?? Number.POSITIVE_INFINITY) * 0.98, mi: size ? Number(size[1]) * unit : 0 };
}

/** A number between 0 and 1 that stays the same for one container and one moment. */
function dice(text: string): number {
  const h = sha256(stringToBytes(text));
  return ((h[0] << 16) | (h[1] << 8) | h[2]) / 2 ** 24;
}

export function containerUsage(pod: KubeObject, container: any, atMs: number): Usage {
  const [, idleMilli, idleMi] = IDLE.find(([image]) => image.test(container.image)) ?? [null, 1, 8];
  const burn = burning(container);
  const who = `${pod.metadata.uid} ${container.name}`;
  const cpu = (idleMilli + 0.05) * (0.85 + 0.3 * dice(`${who} ${Math.floor(atMs / 15_000)}`)) + burn.milli;
  const memory = idleMi * (0.95 + 0.1 * dice(who)) + burn.mi;
  return { nanoCores: Math.round(cpu * 1_000_000), bytes: Math.round(memory * MI) };
}

/** The machine's own: kernel, systemd, containerd, kubelet. */
export const systemUsage = (node: string, atMs: number): Usage => ({
  nanoCores: Math.round((52 + 12 * dice(`${node} ${Math.floor(atMs / 15_000)}`)) * 1_000_000),
  bytes: Math.round((560 + 60 * dice(node)) * MI),
});

export const usageQuantities = (u: Usage) => ({ cpu: `${u.nanoCores}n`, memory: `${Math.ceil(u.bytes / 1024)}Ki` });
