// The real side: a pool of network namespaces with an agent in each, used again from cluster to cluster. The process runs as the first of
// its own mount, PID and network namespaces (run.js): nothing of the machine's own network is touched, and all is gone with it.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import readline from 'node:readline';
import type { Command, Order } from './orders.ts';
import { type Blueprint, SWITCHES } from './rebuild.ts';

export interface Agent {
  name: string;
  process: ChildProcess;
  waiting: Map<number, (answer: unknown) => void>;
  next: number;
}

export interface RealWorld {
  agentFile: string;
  agents: Agent[];
  /** What stands in which namespace. */
  built: Map<string, Pick<Blueprint, 'devices' | 'left'>>;
}

export const newRealWorld = (agentFile: string): RealWorld => ({ agentFile, agents: [], built: new Map() });

export function agentsFor(world: RealWorld, count: number): Agent[] {
  while (world.agents.length < count) world.agents.push(newAgent(world, `z${world.agents.length}`));
  return world.agents.slice(0, count);
}

function newAgent(world: RealWorld, name: string): Agent {
  execFileSync('ip', ['netns', 'add', name]);
  const child = spawn('ip', ['netns', 'exec', name, process.execPath, '--max-semi-space-size=1', world.agentFile], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const agent: Agent = { name, process: child, waiting: new Map(), next: 0 };
  readline.createInterface({ input: child.stdout! }).on('line', line => {
    const { number, answer } = JSON.parse(line);
    agent.waiting.get(number)?.(answer);
    agent.waiting.delete(number);
  });
  return agent;
}

export function order<T = string | null>(agent: Agent, what: Order): Promise<T> {
  const number = agent.next++;
  return new Promise(resolve => {
    agent.waiting.set(number, resolve as (answer: unknown) => void);
    agent.process.stdin!.write(`${JSON.stringify({ number, order: what })}\n`);
  });
}

export function closeRealWorld(world: RealWorld): void {
  for (const a of world.agents.splice(0)) {
    a.process.kill();
    execFileSync('ip', ['netns', 'del', a.name]);
  }
}

/** Lines in as few batches as there can be: which family is meant (`-6 …`) is said once for all. */
function batches(program: string, lines: string[], more: Partial<Command> = {}): Command[] {
  const groups: { family: string[]; lines: string[] }[] = [];
  for (const line of lines) {
    const m = /^(-[46]) (.*)$/.exec(line);
    const family = m ? [m[1]] : [];
    const last = groups[groups.length - 1];
    if (last && last.family[0] === family[0]) last.lines.push(m?.[2] ?? line);
    else groups.push({ family, lines: [m?.[2] ?? line] });
  }
  return groups.map(g => ({
    argv: [program, ...g.family, ...(more.mayFail ? ['-force'] : []), '-batch', '-'],
    stdin: `${g.lines.join('\n')}\n`,
    ...more,
  }));
}

/**
 * Empty the namespaces of what the last cluster left in them, as little as that takes: every program that is run costs more than what it
 * does, and most namespaces are a pod's. The routes of devices go with them; what refers to a set goes in the kernel's own time, so that
 * destroying sets is tried again.
 */
export async function clear(world: RealWorld): Promise<void> {
  await all(
    [...world.built].map(([name, { devices, left }]) => {
      const commands: Command[] = [];
      const run = (text: string, more = {}) => commands.push({ argv: text.split(' '), stdin: '', ...more });
      if (left.rules) run('nft flush ruleset');
      const policy = left.policyRouting ? ['-4', '-6'].flatMap(f => OWN_ROUTING.map(w => `${f} ${w}`)) : [];
      commands.push(
        ...batches('ip', [...devices.map(d => `link del ${d}`), 'addr flush dev lo scope global', ...policy], { mayFail: true }),
      );
      if (left.rules) run('conntrack -F');
      if (left.sets) run('ipset destroy', { tries: 50 });
      return order(world.agents.find(a => a.name === name)!, { do: 'run', commands });
    }),
  );
  world.built.clear();
}

/** Back to the rules that every namespace begins with; the tables that the modelled networks use beside main. */
const OWN_ROUTING = [
  'rule flush',
  'rule add priority 32766 table main',
  'rule add priority 32767 table default',
  ...[1, 100].map(t => `route flush table ${t}`),
];

async function all(jobs: (Promise<string | null> | null)[]): Promise<void> {
  const failed = (await Promise.all(jobs)).find(f => f !== null);
  if (failed) throw new Error(`the real kernel refuses: ${failed}`);
}

/** Step by step, each in all namespaces at once. `switchPorts`: the devices of the namespace that holds the switches. */
export async function build(world: RealWorld, switches: string[], switchPorts: string[], plans: Blueprint[]): Promise<void> {
  const agents = new Map(agentsFor(world, plans.length + 1).map(a => [a.name, a]));
  const at = (p: Blueprint) => agents.get(p.name)!;
  const nothing = { sets: false, rules: false, policyRouting: false };
  world.built.set(SWITCHES, { devices: switchPorts, left: nothing });
  for (const p of plans) world.built.set(p.name, p);
  await all(plans.map(p => order(at(p), { do: 'sysctls', settings: p.sysctls })));
  await all([order(agents.get(SWITCHES)!, { do: 'run', commands: batches('ip', switches) })]);
  await all(
    plans.map(p =>
      p.links.length || p.upper.length ? order(at(p), { do: 'run', commands: batches('ip', [...p.links, ...p.upper]) }) : null,
    ),
  );
  await all(plans.map(p => order(at(p), { do: 'sysctls', settings: p.deviceSysctls })));
  await all(
    plans.map(p => {
      const lines = [...p.settings, ...p.routes].map(l => (/^-[46] /.test(l) ? l : `-4 ${l}`));
      const addresses = ['-4', '-6'].flatMap(f =>
        batches(
          'ip',
          lines.filter(l => l.startsWith(f)),
        ),
      );
      const linkLocal = batches('ip', p.linkLocal, { mayFail: true });
      return order(at(p), { do: 'run', commands: [...addresses, ...linkLocal, ...batches('bridge', p.fdb), ...p.restores] });
    }),
  );
}
