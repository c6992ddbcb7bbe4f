// A process inside one network namespace of the real kernel: it runs commands there, serves, and probes. It takes orders as lines of JSON on
// its stdin and answers each by a line with the order's number.
import { spawn, spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import readline from 'node:readline';
import type { Asked, Command, Heard, Order, Said, Serving } from './orders.ts';

const open: { close: () => void }[] = [];

/** What `Command failed -:7` means. */
function lineNamed(stderr: string, stdin: string): string {
  const m = /Command failed -:(\d+)/.exec(stderr);
  return m ? `: ${stdin.split('\n')[Number(m[1]) - 1]}` : '';
}

const environment = () => ({ ...process.env, LC_ALL: 'C', XTABLES_LOCKFILE: `/run/xtables.${process.pid}` });

/** Runs them in order; -> what the first that fails says, or null. */
async function run(commands: Command[]): Promise<string | null> {
  for (const { argv, stdin, mayFail, tries = 1 } of commands) {
    for (let left = tries - 1; ; left--) {
      const r = spawnSync(argv[0], argv.slice(1), { input: stdin, encoding: 'utf8', maxBuffer: 1 << 28, env: environment() });
      if (r.status === 0 || mayFail) break;
      if (left <= 0) return `${argv.join(' ')}: ${r.error?.message ?? r.stderr.trim()}${lineNamed(r.stderr, stdin)}`;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }
  return null;
}

/** The agent's own servers go on meanwhile. */
function said({ argv, stdin }: Command): Promise<Said> {
  return new Promise(resolve => {
    const child = spawn(argv[0], argv.slice(1), { env: environment() });
    const heard: Said = { code: -1, out: '', err: '' };
    child.stdout.on('data', d => {
      heard.out += d;
    });
    child.stderr.on('data', d => {
      heard.err += d;
    });
    child.on('error', () => resolve(heard));
    child.on('close', code => resolve({ ...heard, code: code ?? -1 }));
    child.stdin.on('error', () => {});
    child.stdin.end(stdin);
  });
}

async function saidAll(commands: Command[]): Promise<Said[]> {
  const out: Said[] = [];
  for (const c of commands) out.push(await said(c));
  return out;
}

function sysctls(settings: [string, string][]): string | null {
  for (const [key, value] of settings) {
    const path = `/proc/sys/${key.split('.').slice(0, 3).join('/')}${deviceAndName(key)}`;
    try {
      fs.writeFileSync(path, value);
    } catch (e) {
      return `${path}: ${(e as Error).message}`;
    }
  }
  return null;
}

/** `net.ipv4.conf.DEVICE.NAME`: a device's name may have dots. */
function deviceAndName(key: string): string {
  const words = key.split('.');
  if (words[2] !== 'conf') return words.length > 3 ? `/${words.slice(3).join('/')}` : '';
  return `/${words.slice(3, -1).join('.')}/${words[words.length - 1]}`;
}

const peerText = (address: string | undefined): string => (address ?? '').replace(/^::ffff:/, '');

async function serve(list: Serving[]): Promise<string | null> {
  for (const o of open.splice(0)) o.close();
  const failures = await Promise.all(
    list.map(s => (s.proto === 'tcp' ? serveTcp(s) : serveUdp(s)).catch(e => `${s.name} ${s.proto} ${s.address}:${s.port}: ${e.message}`)),
  );
  return failures.find(f => f !== null) ?? null;
}

function serveTcp(s: Serving): Promise<null> {
  return new Promise((resolve, reject) => {
    const server = net.createServer({ pauseOnConnect: s.mute ?? false, allowHalfOpen: s.mute ?? false }, c => {
      c.on('error', () => {});
      if (s.mute) {
        open.push({ close: () => c.resetAndDestroy() });
        return;
      }
      c.end(`${s.name} ${peerText(c.remoteAddress)}\n`);
    });
    open.push(server);
    server.once('error', reject);
    server.listen({ host: s.address, port: s.port, ipv6Only: s.address.includes(':'), backlog: 4096 }, () => resolve(null));
  });
}

function serveUdp(s: Serving): Promise<null> {
  return new Promise((resolve, reject) => {
    const six = s.address.includes(':');
    const socket = dgram.createSocket({ type: six ? 'udp6' : 'udp4', ipv6Only: six });
    open.push(socket);
    socket.once('error', reject);
    socket.on('message', (_, from) => socket.send(`${s.name} ${peerText(from.address)}\n`, from.port, from.address));
    socket.bind(s.port, s.address, () => {
      socket.removeListener('error', reject);
      socket.on('error', () => {});
      resolve(null);
    });
  });
}

const answered = (text: string): Heard => {
  const [name, source] = text.trim().split(' ');
  return { verdict: 'connected', backend: name, source };
};

function askTcp(p: Asked, timeoutMs: number): Promise<Heard> {
  return new Promise(resolve => {
    const s = net.connect({ host: p.address, port: p.port });
    let [text, connected] = ['', false];
    const end = (heard: Heard) => {
      clearTimeout(timer);
      s.destroy();
      resolve(heard);
    };
    const timer = setTimeout(() => end({ verdict: connected ? 'silent' : 'timeout' }), timeoutMs);
    s.on('connect', () => {
      connected = true;
    });
    s.on('data', data => {
      text += data;
    });
    s.on('end', () => end(text ? answered(text) : { verdict: 'reset' }));
    s.on('error', (e: NodeJS.ErrnoException) => end({ verdict: e.code ?? 'error' }));
  });
}

function askUdp(p: Asked, timeoutMs: number): Promise<Heard> {
  return new Promise(resolve => {
    const s = dgram.createSocket(p.address.includes(':') ? 'udp6' : 'udp4');
    let ended = false;
    const end = (heard: Heard) => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      s.close();
      resolve(heard);
    };
    const timer = setTimeout(() => end({ verdict: 'timeout' }), timeoutMs);
    s.on('error', (e: NodeJS.ErrnoException) => end({ verdict: e.code ?? 'error' }));
    s.on('message', data => end(answered(String(data))));
    s.connect(p.port, p.address, (error?: Error) => {
      if (error) return end({ verdict: (error as NodeJS.ErrnoException).code ?? 'error' });
      s.send('probe', e => {
        // An ICMP error may be the answer to the very datagram; it is the socket's, and more than what sending said.
        if (e) setTimeout(() => end({ verdict: (e as NodeJS.ErrnoException).code ?? 'error' }), 5);
      });
    });
  });
}

async function ask(probes: Asked[], timeoutMs: number): Promise<Heard[][]> {
  const one = (p: Asked) => (p.proto === 'tcp' ? askTcp : askUdp)(p, timeoutMs);
  return Promise.all(
    probes.map(async p => {
      if (!p.sequential) return Promise.all(Array.from({ length: p.count }, () => one(p)));
      const out: Heard[] = [];
      for (let i = 0; i < p.count; i++) out.push(await one(p));
      return out;
    }),
  );
}

async function obey(order: Order): Promise<unknown> {
  if (order.do === 'run') return run(order.commands);
  if (order.do === 'sysctls') return sysctls(order.settings);
  if (order.do === 'say') return saidAll(order.commands);
  if (order.do === 'serve') return serve(order.list);
  return ask(order.probes, order.timeoutMs);
}

readline.createInterface({ input: process.stdin }).on('line', async line => {
  const { number, order } = JSON.parse(line) as { number: number; order: Order };
  let answer: unknown;
  try {
    answer = await obey(order);
  } catch (e) {
    answer = `${(e as Error).stack}`;
  }
  process.stdout.write(`${JSON.stringify({ number, answer: answer ?? null })}\n`);
});
