// openssl: the commands that somebody looks at certificates with. Others are refused by name.
import { complain, print, stdinAll } from '../../linux/process.ts';
import type { Process, Program } from '../../linux/types.ts';
import { base64, bytesToString, hex, stringToBytes, unbase64 } from '../../sim/bytes.ts';
import { bytes as randomBytes } from '../../sim/random.ts';
import type { Co } from '../../sim/task.ts';
import { sClient } from './s-client.ts';
import { verify, x509 } from './x509.ts';

type Command = (p: Process, args: string[]) => Co<number>;

function* rand(p: Process, args: string[]): Co<number> {
  const n = Number(args.find(a => /^\d+$/.test(a)) ?? 0);
  const data = randomBytes(p.kernel.sim.random, n);
  print(p, args.includes('-hex') ? `${hex(data)}\n` : args.includes('-base64') ? `${base64(data)}\n` : data);
  return 0;
}

function* base64Command(p: Process, args: string[]): Co<number> {
  const data = yield* stdinAll(p);
  print(p, args.includes('-d') ? (unbase64(bytesToString(data).replace(/\s/g, '')) ?? stringToBytes('')) : `${base64(data)}\n`);
  return 0;
}

function* version(p: Process): Co<number> {
  print(p, 'OpenSSL 3.0.17 1 Jul 2025 (Library: OpenSSL 3.0.17 1 Jul 2025)\n');
  return 0;
}

const COMMANDS: Record<string, Command> = { base64: base64Command, rand, s_client: sClient, verify, version, x509 };

export const openssl: Program = function* (p) {
  const [name = '', ...args] = p.argv.slice(1);
  const command = COMMANDS[name];
  if (command) return yield* command(p, args);
  complain(
    p,
    name
      ? `podnet: openssl ${name} is not modelled: ${Object.keys(COMMANDS).join(', ')} are\n`
      : `help:\n\npodnet models ${Object.keys(COMMANDS).join(', ')}\n`,
  );
  return 1;
};
