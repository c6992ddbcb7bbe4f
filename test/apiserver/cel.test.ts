import { describe, expect, it } from 'vitest';
import { formatText } from '../../src/apiserver/cel/functions/format.ts';
import { compileExpression } from '../../src/apiserver/cel/program.ts';
import { CelError, type Val } from '../../src/apiserver/cel/values.ts';
import { declaredType, escapeName, toValue } from '../../src/apiserver/custom/cel-schema.ts';

const schema = {
  type: 'object',
  properties: {
    port: { type: 'integer' },
    ratio: { type: 'number' },
    host: { type: 'string' },
    tags: { type: 'array', items: { type: 'string' } },
    names: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    routes: {
      type: 'array',
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['to'],
      items: { type: 'object', properties: { to: { type: 'string' }, weight: { type: 'integer' } } },
    },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    target: { 'x-kubernetes-int-or-string': true },
    since: { type: 'string', format: 'date-time' },
    every: { type: 'string', format: 'duration' },
    namespace: { type: 'string' },
    'node-name': { type: 'string' },
    free: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
  },
};
const value = {
  port: 8080,
  ratio: 0.5,
  host: 'shop.example',
  tags: ['a', 'b'],
  names: ['x', 'y'],
  routes: [{ to: 'v1', weight: 9 }, { to: 'v2' }],
  labels: { app: 'shop' },
  target: '25%',
  since: '2026-02-28T23:30:00Z',
  every: '90s',
  namespace: 'prod',
  'node-name': 'n1',
};
const type = declaredType(schema, false);
if (!type) throw new Error('no type');
const compile = (text: string) => compileExpression(text, new Map([['self', type]]));

/** What an expression is worth, in words. */
function worth(text: string): string {
  const program = compile(text);
  if (typeof program === 'string') return program.split('\n')[0];
  try {
    const v: Val = program.run({ self: toValue(value, schema) });
    return typeof v === 'boolean' ? String(v) : formatText('%s', [v]);
  } catch (e) {
    if (e instanceof CelError) return `error: ${e.message}`;
    throw e;
  }
}

const table = (rows: [string, string][]) => {
  for (const [text, want] of rows) expect([text, worth(text)]).toEqual([text, want]);
};

describe('CEL expressions', () => {
  it('reckon with whole numbers, fractions and times', () => {
    table([
      ['self.port / 100 * 3 - 7 % 4', '237'],
      ['-7 / 2', '-3'],
      ['1u + 2u', '3'],
      ['self.ratio * 3.0', '1.5'],
      ['2.0e7', '2e+07'],
      ['self.port > 0.5 && 1 < 2u', 'true'],
      ['0x1f + int("2") + int(3.9)', '36'],
      ['self.every + duration("30m") > duration("1800s")', 'true'],
      ['self.since + duration("1h")', '2026-03-01T00:30:00Z'],
      ['self.since.getDayOfWeek() * 100 + self.since.getHours("+02:00")', '601'],
      ['9223372036854775807 + 1', 'error: integer overflow'],
      ['1 / (self.port - 8080)', 'error: division by zero'],
    ]);
  });

  it('look into structures, lists and maps', () => {
    table([
      ['self.namespace + self.node__dash__name', 'prodn1'],
      ['has(self.routes[1].weight)', 'false'],
      ['self.routes[1].weight', 'error: no such key: weight'],
      ['self.tags[2]', 'error: index out of bounds: 2'],
      ['"app" in self.labels && !("tier" in self.labels)', 'true'],
      ['self.labels.all(k, self.labels[k].size() == 4)', 'true'],
      ['self.routes.map(r, has(r.weight), r.to)', '["v1"]'],
      ['self.routes.exists_one(r, r.to == "v2")', 'true'],
      ['self.tags.transformMap(i, t, t + string(i))', '{0:"a0", 1:"b1"}'],
      ['self.?free.hasValue() || self.labels[?"tier"].orValue("none") == "none"', 'true'],
      ['self.names == ["y", "x"] && self.tags != ["b", "a"]', 'true'],
      ['self.names + ["x", "z"]', '["x", "y", "z"]'],
      ['[3, 1, 2].sort().reverse().slice(0, 2) + [[4], [5]].flatten()', '[3, 2, 4, 5]'],
      ['[self.ratio, 2.0].sum() + [1.5].max()', '4'],
      ['type(self.target) == string && self.target.endsWith("%")', 'true'],
      ['self.target > 3', 'error: no such overload'],
    ]);
  });

  it('ask no further than they must, and forgive what the other side decides', () => {
    table([
      ['self.tags[9] == "a" || self.port == 8080', 'true'],
      ['self.port == 1 && self.tags[9] == "a"', 'false'],
      ['self.port == 1 || self.tags[9] == "a"', 'error: index out of bounds: 9'],
      ['[0, 1].exists(n, 1 / n == 1)', 'true'],
      ['self.port > 1 ? "much" : self.tags[9]', 'much'],
    ]);
  });

  it('have the libraries of Kubernetes', () => {
    table([
      ['self.host.matches("^[a-z.]+$") && self.host.find("[a-z]+$") == "example"', 'true'],
      ['"a,b,c".split(",", 2).join("|") + "Ab".upperAscii() + "abc".substring(1, 2)', 'a|b,cABb'],
      ['"%d of %.1f: %s %x".format([3, 4.25, self.tags, 255])', '3 of 4.3: ["a", "b"] ff'],
      ['quantity("1.5Gi").isLessThan(quantity("2G")) && quantity("1k") == quantity("1000")', 'true'],
      ['cidr("10.1.0.0/16").containsIP("10.1.9.9") && ip("::1").isLoopback()', 'true'],
      ['url("https://a.example:8443/x?q=1").getPort() + string(cidr("10.1.2.3/8").masked())', '844310.0.0.0/8'],
      ['semver("1.2.0-rc.1").isLessThan(semver("v1.2", true))', 'true'],
      ['format.dns1123Label().validate("Bad").hasValue() && sets.contains([1, 2], [2])', 'true'],
      [
        'ip("300.1.1.1").family()',
        'error: IP Address "300.1.1.1" parse error during conversion from string: ParseAddr("300.1.1.1"): IPv4 field has value >255',
      ],
    ]);
  });

  it('are refused when they do not fit their types or the grammar', () => {
    table([
      ['self.prot == 1', "ERROR: <input>:1:5: undefined field 'prot'"],
      ['self.port == "80"', "ERROR: <input>:1:11: found no matching overload for '_==_' applied to '(int, string)'"],
      ['self.host.size() > 1 && self.port', "ERROR: <input>:1:29: expected type 'bool' but found 'int'"],
      ['self.tags.all(t, t.size)', "ERROR: <input>:1:19: type 'string' does not support field selection"],
      ['self.port.contains("8")', "ERROR: <input>:1:19: found no matching overload for 'contains' applied to 'int.(string)'"],
      ['other', "ERROR: <input>:1:1: undeclared reference to 'other' (in container '')"],
      ['self.free.x', "ERROR: <input>:1:10: undefined field 'x'"],
      ['self.host.matches("(")', 'ERROR: <input>:1:19: invalid matches argument'],
      ['(self.port == 1', "ERROR: <input>:1:16: Syntax error: missing ')' at '<EOF>'"],
      ['self.port = 1', "ERROR: <input>:1:11: Syntax error: token recognition error at: '= '"],
    ]);
    expect(compile('self.port > 1 &&\n  self.prot > 2')).toBe("ERROR: <input>:2:7: undefined field 'prot'\n |   self.prot > 2\n | ......^");
  });

  it('know fields by names that the language allows', () => {
    expect(['a-b', 'a.b/c', 'in', 'x__y', '1st', 'plain'].map(escapeName)).toEqual([
      'a__dash__b',
      'a__dot__b__slash__c',
      '__in__',
      'x__underscores__y',
      null,
      'plain',
    ]);
  });
});
