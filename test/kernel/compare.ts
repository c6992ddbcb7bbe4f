// One cluster after another, each drawn from its seed, in podnet and in the real kernel: the same probes on both sides. Prints the first seed
// whose answers differ, and how; run.js starts it in namespaces of its own.

import { addToPlaces } from '../../src/cluster/places.ts';
import { probe } from '../../src/cluster/probe.ts';
import type { Segment } from '../../src/linux/types.ts';
import { type Drawing, draw } from './draw.ts';
import { drawProbes, type Question } from './draw-probes.ts';
import type { Asked, Heard } from './orders.ts';
import { agentsFor, build, clear, newRealWorld, order, type RealWorld } from './real.ts';
import { blueprint, NotRebuilt, type PortNames, switchLines } from './rebuild.ts';
import { places, serving, simulate } from './simulate.ts';
import { difference, ENOUGH } from './verdicts.ts';

const TIMEOUT_MS = Number(process.env['KERNEL_TIMEOUT_MS'] ?? 700);

interface Compared {
  differences: string[];
  probes: number;
}

export async function compareSeed(world: RealWorld, seed: number, ipip: boolean, slow = 1): Promise<Compared> {
  const d = draw(seed, ipip);
  const c = await simulate(d);
  const all = [...places(c)];
  const agents = agentsFor(world, all.length + 1);
  await clear(world);
  const slot = new Map(all.map(([ns], i) => [ns, agents[i + 1].name]));
  const segments = [...new Set(all.flatMap(([ns]) => [...ns.links.values()].map(l => l.segment)).filter((s): s is Segment => s !== null))];
  const ports: PortNames = new Map();
  const switches = switchLines(segments, slot, ports);
  const plans = all.map(([ns]) => blueprint(slot.get(ns)!, ns, slot, ports));
  await build(world, switches, [...segments.map((_, i) => `sw${i}`), ...ports.values()], plans);
  const names = addToPlaces(c.engine);
  const agentAt = new Map(all.map(([ns, name], i) => [name, { ns, agent: agents[i + 1] }]));
  for (const { ns, agent } of agentAt.values()) {
    const failed = await order(agent, { do: 'serve', list: serving(c, ns, names, [...agentAt].find(([, x]) => x.ns === ns)![0]) });
    if (failed) throw new Error(failed);
  }
  const questions = drawProbes(d, c.engine, names);
  const answers = questions.map(q => probe(c.engine, { id: '', from: q.from, to: q.to, proto: q.proto }));
  const heard = await askAll(questions, answers, q => agentAt.get(q.place)!.agent, slow);
  const differences = questions.flatMap((q, i) => {
    const found = difference(answers[i], heard[i], q);
    return found ? [`${q.from} -> ${q.to} ${q.proto}${q.what ? ` (${q.what})` : ''}\n    ${found}`] : [];
  });
  return { differences, probes: questions.length };
}

async function askAll(
  questions: Question[],
  answers: ReturnType<typeof probe>[],
  agentOf: (q: Question) => any,
  slow: number,
): Promise<Heard[][]> {
  const byAgent = new Map<any, { at: number; asked: Asked }[]>();
  questions.forEach((q, at) => {
    const outcomes = answers[at].pairs.length + answers[at].verdicts.length - 1;
    const count = q.sequential ? 4 : outcomes > 1 ? Math.min(120, ENOUGH * outcomes) : 2;
    const list = byAgent.get(agentOf(q)) ?? [];
    list.push({ at, asked: { proto: q.proto, address: q.address, port: q.port, count, sequential: q.sequential } });
    byAgent.set(agentOf(q), list);
  });
  const out: Heard[][] = [];
  await Promise.all(
    [...byAgent].map(async ([agent, list]) => {
      const got = await order<Heard[][] | string>(agent, { do: 'ask', probes: list.map(x => x.asked), timeoutMs: TIMEOUT_MS * slow });
      if (typeof got === 'string') throw new Error(got);
      for (const [i, x] of list.entries()) out[x.at] = got[i];
    }),
  );
  return out;
}

async function main(): Promise<void> {
  const [agentFile, first, count, ipip] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4]), process.argv[5] === 'ipip'];
  const keepOn = process.argv[6] === 'all';
  const world = newRealWorld(agentFile);
  const totals = { seeds: 0, probes: 0, differ: 0, notRebuilt: 0 };
  const start = Date.now();
  for (let seed = first; seed < first + count; seed++) {
    try {
      let r = await compareSeed(world, seed, ipip);
      // A machine that is busy with something else answers late: what differs, differs again when there is more time.
      if (r.differences.length) r = await compareSeed(world, seed, ipip, 3);
      totals.seeds++;
      totals.probes += r.probes;
      if (totals.seeds % 100 === 0) console.log(`${totals.seeds} clusters, ${totals.differ} differ (seed ${seed})`);
      if (!r.differences.length) continue;
      totals.differ++;
      console.log(`seed ${seed}: ${describe(draw(seed, ipip))}\n  ${r.differences.join('\n  ')}`);
    } catch (e) {
      if (e instanceof NotRebuilt) {
        totals.notRebuilt++;
        continue;
      }
      totals.differ++;
      console.log(`seed ${seed}: ${describe(draw(seed, ipip))}\n  ${(e as Error).stack}`);
    }
    if (!keepOn && totals.differ) break;
  }
  const seconds = ((Date.now() - start) / 1000).toFixed(0);
  console.log(
    `${totals.seeds} clusters, ${totals.probes} probes, ${totals.differ} clusters differ, ${totals.notRebuilt} not rebuilt, ${seconds} s`,
  );
  process.exit(totals.differ ? 1 : 0);
}

function describe(d: Drawing): string {
  const { cni, encapsulation, dataplane, ipFamily, kubeProxy } = d.config;
  const words = [cni, encapsulation, dataplane, ipFamily, kubeProxy.mode, `${d.config.nodes.length} nodes`].filter(Boolean).join(', ');
  return `${words}${d.faults.map(f => `; ${f.node}# ${f.argv.join(' ')}`).join('')}`;
}

void main();
