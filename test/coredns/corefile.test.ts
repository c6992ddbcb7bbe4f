// What looks wrong in a Corefile and is not, and what is.
import { beforeEach, describe, expect, it } from 'vitest';
import { newApiServer } from '../../src/apiserver/server.ts';
import type { ApiServer } from '../../src/apiserver/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import { runUntil } from '../../src/sim/sim.ts';
import { type Hosts, twoHosts } from '../userland/hosts.ts';
import { bootCoredns, mistake } from './boot.ts';

let h: Hosts;
let server: ApiServer;

beforeEach(() => {
  h = twoHosts();
  server = newApiServer(h.sim, newRandom(1));
});

/** Lines between the runtime's and the version. */
function banner(corefile: string, files?: Record<string, string>): string[] {
  const dns = bootCoredns(h, server, corefile, files);
  runUntil(h.sim, () => false, h.sim.nowMs + 10);
  return dns
    .out()
    .split('\n')
    .slice(1)
    .filter(l => l && !/^(CoreDNS|linux)/.test(l));
}

const odd = (zone: string) => `Warning: Domain "${zone}" does not follow RFC1035 preferred syntax`;

describe('runs all the same', () => {
  it.each([
    ['', ['.:53']],
    ['(part) {\n errors\n}\n', ['.:53']],
    ['a.test {\n whoami\n}\n}\n', ['a.test.:53', odd('}.'), '}.:53'].sort()],
    ['a.test {\n errors {\n}\n', ['a.test.:53']],
    ['b.test, a.test:54\nwhoami\n', ['b.test.:53', 'a.test.:54']],
    ['_x.test:54 {\n whoami\n}\n', [odd('_x.test.'), '_x.test.:54']],
    ['tls://a.test {\n whoami\n}\n', ['tls://a.test.:853']],
    ['a.test {\n bind 10.0.0.1\n whoami\n}\n', ['a.test.:53 on 10.0.0.1']],
  ])('%j', (corefile, lines) => {
    const got = banner(corefile);
    expect(corefile.includes('}\n}') ? [...got].sort() : got).toEqual(lines);
  });

  it('imports snippets and files where they stand', () => {
    const got = banner('(all) {\n whoami\n}\nimport /more/*\na.test {\n import all\n}\n', { '/more/x': 'c.test {\n import all\n}\n' });
    expect(got).toEqual(['a.test.:53', 'c.test.:53']);
  });

  it('reload prints the checksum of what it has read', () => {
    expect(banner('.:53 {\n    reload 2s\n}\n')[1]).toMatch(
      /^\[INFO\] plugin\/reload: Running configuration SHA512 = b4aa22caae145f45[0-9a-f]{112}$/,
    );
  });
});

describe('does not', () => {
  it.each([
    ['. {\n whoami\n}\n. {\n whoami\n}\n', 'cannot serve dns://.:53 - it is already defined'],
    ['a..test {\n whoami\n}\n', 'error inspecting server blocks: zone is not a valid domain name: a..test'],
    ['a: {\n whoami\n}\n', 'error inspecting server blocks: expecting data after last colon: "a:"'],
    ['a, {\n whoami\n}\n', "/Corefile:1 - Error during parsing: Expected another address but had '{' - check for extra comma"],
    ['a {\n log "x\n}\n', "/Corefile:2 - Syntax error: Unexpected token 'x\n}\n', expecting '}'"],
    ['a {\n {$NOTHING}\n}\n', "/Corefile:2 - Error during parsing: Unknown directive ''"],
    ['a {\n import\n}\n', "/Corefile:2 - Error during parsing: Wrong argument count or unexpected line ending after 'import'"],
    ['a {\n whoami }\n}\n', "/Corefile:2 - Error during parsing: Unexpected '}' because no matching opening brace"],
    ['a {\n bind 10.9.9.9\n}\n', 'Listen: listen tcp 10.9.9.9:53: bind: cannot assign requested address'],
    [
      'a {\n forward . https://192.0.2.1\n}\n',
      "plugin/forward: 'https' is not supported as a destination protocol in forward: https://192.0.2.1:443",
    ],
    ['a {\n forward . 192.0.2.1 {\n failover NOERROR\n }\n}\n', 'plugin/forward: NoError cannot be used in failover'],
    ['a {\n multisocket 0\n}\n', 'plugin/multisocket: num sockets can not be zero or negative: 0'],
    [
      'a {\n timeouts\n}\n',
      'plugin/timeouts: plugin/timeouts: /Corefile:2 - Error during parsing: timeouts block with no timeouts specified',
    ],
    ['a {\n secondary\n}\n', 'plugin/secondary: /Corefile:2 - Error during parsing: secondary zones require a transfer from property'],
  ])('%j', (corefile, why) => {
    expect(mistake(h, server, corefile)).toBe(why.trimEnd());
  });
});
