import { describe, expect, it } from 'vitest';
import { parseFlags } from '../../src/kubectl/flags.ts';
import { executeJsonPath, parseJsonPath } from '../../src/kubectl/jsonpath.ts';
import { documents } from '../../src/kubectl/manifest.ts';
import { readTar, TAR_END, tarMember } from '../../src/kubectl/tar.ts';
import { KUBECTL_FUNCTIONS } from '../../src/kubectl/template-functions.ts';
import { unifiedHunks } from '../../src/kubectl/text-diff.ts';
import { toYaml } from '../../src/kubectl/yaml-write.ts';
import { concat, stringToBytes } from '../../src/sim/bytes.ts';
import { execute } from '../../src/sim/go-template/execute.ts';
import { SHORT_CIRCUIT, sprintf } from '../../src/sim/go-template/functions.ts';
import { parseTemplate } from '../../src/sim/go-template/parse.ts';

const template = (text: string, data: unknown): string => {
  const out: string[] = [];
  const functions = KUBECTL_FUNCTIONS;
  execute(
    parseTemplate('output', text, new Set([...Object.keys(functions), ...SHORT_CIRCUIT])),
    data,
    { allowMissing: true, functions },
    out,
  );
  return out.join('');
};
const jsonpath = (text: string, data: unknown): string => executeJsonPath(parseJsonPath(text), data, true, false);

describe('go templates', () => {
  it('have Go’s control, variables, pipes and trimming', () => {
    const data = { items: [{ n: 'a', on: true }, { n: 'b' }], m: { z: 1, a: 2 } };
    expect(template('{{range .items}}{{if .on}}+{{else}}-{{end}}{{.n}} {{end}}', data)).toBe('+a -b ');
    expect(template('{{range $i, $x := .items}}{{$i}}{{$x.n}}{{end}}', data)).toBe('0a1b');
    expect(template('{{range $k, $v := .m}}{{$k}}={{$v}};{{end}}', data)).toBe('a=2;z=1;');
    expect(template('x  {{- len .items | printf "%03d" -}}  y', data)).toBe('x002y');
    expect(template('{{range .items}}{{if eq .n "b"}}{{break}}{{end}}{{.n}}{{end}}{{.none}}', data)).toBe('a<no value>');
    expect(template('{{define "t"}}<{{.}}>{{end}}{{template "t" .m.a}}{{with .none}}x{{else}}y{{end}}', data)).toBe('<2>y');
    expect(() => template('{{.a', data)).toThrow(expect.objectContaining({ template: 'template: output:1: unclosed action' }));
  });

  it('print as fmt does', () => {
    expect(sprintf('%5s|%-5s|%q|%d|%v', ['a', 'b', 'c', 4n, [1, 'x']])).toBe('    a|b    |"c"|4|[1 x]');
    expect(sprintf('%d', [1])).toBe('%!d(float64=1)');
    expect(sprintf('%s %s', ['x'])).toBe('x %!s(MISSING)');
  });
});

describe('jsonpath', () => {
  it('filters, slices, ranges and unions', () => {
    const data = {
      items: [
        { n: 'a', v: 1 },
        { n: 'b', v: 2 },
        { n: 'c', v: 3 },
      ],
    };
    expect(jsonpath('{.items[?(@.v>1)].n}', data)).toBe('b c');
    expect(jsonpath('{.items[-1].n} {.items[0:2].n} {..v}', data)).toBe('c a b 1 2 3');
    expect(jsonpath('{range .items[*]}{.n}={.v}{"\\n"}{end}', data)).toBe('a=1\nb=2\nc=3\n');
    expect(jsonpath(`{.items[0]['n','v']}`, data)).toBe('a 1');
  });
});

describe('YAML', () => {
  const read = (text: string) => [...documents(text)];

  it('is read by go-yaml v2’s rules', () => {
    expect(read('a: yes\nb: 0o7\nc: 010\nd: 1e3\ne: "1"\nf: ~\ng: 2026-01-02\n')).toEqual([
      { value: { a: true, b: 7, c: 8, d: 1000, e: '1', f: null, g: '2026-01-02' } },
    ]);
    expect(read('a: 1\n---\n# nothing\n---\nb: 2\n').map(d => ('value' in d ? d.value : d))).toEqual([{ a: 1 }, null, { b: 2 }]);
    expect(read('a: 1\nb: [\n')).toEqual([{ error: expect.stringContaining('did not find expected node content') }]);
    expect(read('a: b: c\n')).toEqual([{ error: 'error converting YAML to JSON: yaml: mapping values are not allowed in this context' }]);
    expect(read('{"a": 1}\n{"b": 2}\n')).toEqual([{ value: { a: 1 } }, { value: { b: 2 } }]);
  });

  it('is written so that it reads back', () => {
    for (const v of [
      'yes',
      '1',
      '',
      ' x',
      'a: b',
      '- x',
      '#',
      'a\nb\n',
      'a\n\n b',
      '0x1',
      '1e3',
      'null',
      '~',
      '"',
      "it's",
      '*a',
      '{',
      'é',
      '\u0007',
      'x ',
    ])
      expect([v, read(toYaml({ k: v, l: [v] }))]).toEqual([v, [{ value: { k: v, l: [v] } }]]);
    expect(toYaml({ b: [], a: {}, c: [{ d: 1, e: ['x'] }] })).toBe('a: {}\nb: []\nc:\n- d: 1\n  e:\n  - x\n');
  });
});

describe('command lines', () => {
  it('follow pflag', () => {
    const flags = parseFlags('get', ['pods', '-nfoo', '-o', 'yaml', '--all-namespaces=false', '-l', 'a=b', '--', '-x'], {});
    if (!('values' in flags)) throw new Error(flags.message);
    expect(flags.args).toEqual(['pods', '-x']);
    expect(flags.dash).toBe(1);
    expect(['namespace', 'output', 'selector', 'all-namespaces'].map(f => flags.values.get(f))).toEqual(['foo', 'yaml', 'a=b', 'false']);
  });
});

describe('text', () => {
  it('hunks have three lines around them', () => {
    const lines = Array.from({ length: 20 }, (_, i) => `l${i}`);
    const changed = [...lines];
    changed[10] = 'new';
    expect(unifiedHunks(`${lines.join('\n')}\n`, `${changed.join('\n')}\n`)).toBe(
      '@@ -8,7 +8,7 @@\n l7\n l8\n l9\n-l10\n+new\n l11\n l12\n l13\n',
    );
  });

  it('archives are read back, long names too', () => {
    const name = `${'d/'.repeat(80)}file`;
    const data = stringToBytes('x'.repeat(1000));
    const [file] = readTar(concat([tarMember({ name, type: '0', mode: 0o640, mtimeMs: 0, data }), TAR_END]));
    expect(file).toMatchObject({ name, type: 'file', mode: 0o640 });
    expect(file.data).toEqual(data);
  });
});
