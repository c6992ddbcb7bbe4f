import type { ApiServer } from '../../src/apiserver/types.ts';
import { corednsProgram } from '../../src/coredns/program.ts';
import type { Process, Program } from '../../src/linux/types.ts';
import { newFile, place } from '../../src/linux/vfs.ts';
import { runUntil } from '../../src/sim/sim.ts';
import { exchangeUdp, failed } from '../../src/userland/net/dns-client.ts';
import type { DnsMessage, DnsRecord, RrType } from '../../src/wire/dns.ts';
import { newMessage } from '../../src/wire/dns-codec.ts';
import { formatIp, ip } from '../../src/wire/ip.ts';
import { type Hosts, run, start } from '../userland/hosts.ts';

/** A CoreDNS on the server's host, with its Corefile and further files. */
export function bootCoredns(h: Hosts, server: ApiServer, corefile: string, files: Record<string, string> = {}) {
  for (const [path, text] of Object.entries({ ...files, '/Corefile': corefile })) place(h.server.fs, path, newFile(text));
  return start(h, h.server, corednsProgram(server), ['coredns', '-conf', '/Corefile']);
}

/** What a Corefile with a mistake ends with on stderr. */
export function mistake(h: Hosts, server: ApiServer, corefile: string, files: Record<string, string> = {}): string {
  const dns = bootCoredns(h, server, corefile, files);
  runUntil(h.sim, () => dns.process.exitCode !== null, h.sim.nowMs + 1000);
  return dns.process.exitCode === 1 ? dns.err().trimEnd() : `it runs: ${dns.process.exitCode}`;
}

export function ask(h: Hosts, name: string, type: RrType = 'A'): DnsMessage {
  let reply: DnsMessage | null = null;
  const program = (): Program =>
    function* (p: Process) {
      const got = yield* exchangeUdp(p, ip('10.0.0.1'), newMessage(7, name, type), { timeoutMs: 2000 });
      if (!failed(got)) reply = got.message;
      return 0;
    };
  run(h, program, 'ask');
  if (!reply) throw new Error(`no reply for ${name}`);
  return reply;
}

/** `name TYPE data` of each record. */
export const texts = (records: DnsRecord[]): string[] =>
  records.map(r => {
    const { data } = r;
    const text =
      'ip' in data ? formatIp(data.ip) : 'preference' in data ? `${data.preference} ${data.host}` : 'host' in data ? data.host : '';
    const rest = 'texts' in data ? data.texts.join(' ') : 'target' in data ? `${data.port} ${data.target}` : '';
    return `${r.name} ${r.type} ${text}${rest}`.trimEnd();
  });
