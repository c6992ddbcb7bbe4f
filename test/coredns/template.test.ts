// The template plugin's templates, as CoreDNS 1.14.2 fills them.
import { beforeEach, expect, it } from 'vitest';
import { newApiServer } from '../../src/apiserver/server.ts';
import type { ApiServer } from '../../src/apiserver/types.ts';
import { newRandom } from '../../src/sim/random.ts';
import type { RrType } from '../../src/wire/dns.ts';
import { type Hosts, twoHosts } from '../userland/hosts.ts';
import { ask as askAt, bootCoredns, texts } from './boot.ts';

let h: Hosts;
let server: ApiServer;

beforeEach(() => {
  h = twoHosts();
  server = newApiServer(h.sim, newRandom(1));
});

const ask = (name: string, type?: RrType) => askAt(h, name, type);
const quoted = (template: string) => JSON.stringify(template);
const one = (type: string, template: string, more = '') =>
  bootCoredns(h, server, `. {\n errors\n log\n template IN ${type} t.test {\n  answer ${quoted(template)}\n ${more} }\n}\n`);

it('reads numbers out of names, and goes on with the next plugin where nothing matches', () => {
  bootCoredns(
    h,
    server,
    `. {
  template IN A t.test {
    match ^ip0a(?P<b>[a-f0-9]{2})(?P<c>[a-f0-9]{2})(?P<d>[a-f0-9]{2})[.]
    answer "{{ .Name }} 60 IN A 10.{{ parseInt .Group.b 16 8 }}.{{ parseInt .Group.c 16 8 }}.{{ parseInt .Group.d 16 8 }}"
    fallthrough
  }
  hosts {
    192.0.2.9 plain.t.test
  }
}
`,
  );
  expect(texts(ask('ip0a01ff10.t.test.').answers)).toEqual(['ip0a01ff10.t.test. A 10.1.255.16']);
  expect(texts(ask('plain.t.test.').answers)).toEqual(['plain.t.test. A 192.0.2.9']);
});

it('has conditions, loops, variables and pipes', () => {
  bootCoredns(
    h,
    server,
    `. {
  template IN ANY t.test {
    match "^([a-z]+)[.]"
    answer ${quoted('{{ $n := index .Match 1 }}{{ if eq .Type "A" }}{{ .Name }} 60 IN A 10.0.0.{{ len $n }}{{ else if eq .Question.Qtype 16 }}{{ .Name }} 60 IN TXT {{ range $i, $e := .Match }}{{ $i }}={{ $e }} {{ end }}{{ with .Group.zz }}have{{ else }}none{{ end }} {{ slice $n 0 2 | printf "%q" }} {{ index .Group "zz" }}x {{- " trimmed" -}} {{ else }}{{ .Name }} 60 IN MX {{ .Question.Qtype }} {{ .Zone }}{{ end }}')}
  }
}
`,
  );
  expect(texts(ask('abc.t.test.', 'A').answers)).toEqual(['abc.t.test. A 10.0.0.3']);
  expect(texts(ask('abc.t.test.', 'TXT').answers)).toEqual(['abc.t.test. TXT 0=abc. 1=abc none ab x trimmed']);
  expect(texts(ask('abc.t.test.', 'MX').answers)).toEqual(['abc.t.test. MX 15 t.test.']);
});

it('tells what failed while it was filled, and counts it', () => {
  const failures: [template: string, why: string][] = [
    [
      '{{ .Name }} 60 IN TXT {{ .Nosuch }}',
      `1:25: executing "answer" at <.Nosuch>: can't evaluate field Nosuch in type *template.templateData`,
    ],
    ['{{ .Name.Foo }}', `1:8: executing "answer" at <.Name.Foo>: can't evaluate field Foo in type string`],
    ['{{ index .Match 7 }}', '1:3: executing "answer" at <index .Match 7>: error calling index: index out of range: 7'],
    ['{{ .Meta }}', '1:3: executing "answer" at <.Meta>: wrong number of args for Meta: want 1 got 0'],
    ['{{ parseInt 5 16 8 }}', '1:12: executing "answer" at <5>: expected string; found 5'],
    [
      '{{ parseInt .Name 16 8 }}',
      '1:3: executing "answer" at <parseInt .Name 16 8>: error calling parseInt: strconv.ParseUint: parsing "a.t.test.": invalid syntax',
    ],
    ['{{ parseInt "100" 16 8 }}', 'error calling parseInt: strconv.ParseUint: parsing "100": value out of range'],
  ];
  for (const [template, why] of failures) {
    h = twoHosts();
    server = newApiServer(h.sim, newRandom(1));
    const dns = one('A', template);
    expect(ask('a.t.test.').rcode).toBe('SERVFAIL');
    expect(dns.out() + dns.err()).toContain(why);
  }
});

it('falls over an empty answer to a question for addresses, and sends nothing for others', () => {
  const dns = one('ANY', '{{ if false }}x{{ end }}');
  expect(ask('a.t.test.').rcode).toBe('SERVFAIL');
  expect(dns.out() + dns.err()).toContain(
    '[ERROR] Recovered from panic in server: "dns://:53" runtime error: invalid memory address or nil pointer dereference\n',
  );
  expect(() => ask('a.t.test.', 'TXT')).toThrow('no reply');
});
