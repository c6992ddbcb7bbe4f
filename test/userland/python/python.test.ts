import { describe, expect, it } from 'vitest';
import { runIn } from '../container.ts';

const python = (code: string, o: { stdin?: string; env?: Record<string, string> } = {}) => runIn('python:3.11', ['python3', '-c', code], o);
const says = (code: string): string => {
  const r = python(code);
  if (r.code !== 0) throw new Error(r.err);
  return r.out;
};

describe('python', () => {
  it.each([
    ['print(1 + 2 * 3, 7 // 2, 7 % 3, -7 // 2, 2 ** 10, 1 / 4)', '7 3 1 -4 1024 0.25\n'],
    ["print('a' + \"b\" * 3, 'x' in 'xyz', not True, None)", 'abbb True False None\n'],
    ["print([1, 'two', None], (1,), {'k': [True]}, b'raw')", "[1, 'two', None] (1,) {'k': [True]} b'raw'\n"],
    ['n = 5\nprint(f\'{n:>4}|{n * 1.5:.2f}|{n!r}|{{}}|{"in"}\')', '   5|7.50|5|{}|in\n'],
    ["print('%s has %d of %5.1f%%' % ('it', 3, 99.5))", 'it has 3 of  99.5%\n'],
    ["print([x * x for x in range(5) if x % 2], {k: len(k) for k in ['a', 'bb']})", "[1, 9] {'a': 1, 'bb': 2}\n"],
    ["a, b = 1, 2\na, b = b, a\nprint(a, b, sep='-', end='!\\n')", '2-1!\n'],
    ["d = {'x': 1}\nd['y'] = d.get('z', 9)\nfor k, v in d.items():\n  print(k, v)", 'x 1\ny 9\n'],
    ['print("a,b,c".split(",")[-1], "Hello"[1:3], "  t ".strip(), ", ".join(["p", "q"]), "up".upper())', 'c el t p, q UP\n'],
    ['i = 0\nwhile True:\n  i += 1\n  if i == 2: continue\n  if i > 3: break\n  print(i)', '1\n3\n'],
    ['def f(a, b=2, *rest, **named):\n  return a + b + len(rest) + len(named)\nprint(f(1), f(1, 1, 1, 1), f(1, x=1))', '3 4 4\n'],
    [
      'class A:\n  kind = "a"\n  def __init__(self, n): self.n = n\n  def twice(self): return self.n * 2\nclass B(A):\n  kind = "b"\nprint(B(4).twice(), B.kind)',
      '8 b\n',
    ],
    [
      'try:\n  int("x")\nexcept (KeyError, ValueError) as e:\n  print("no:", e)\nfinally:\n  print("end")',
      "no: invalid literal for int() with base 10: 'x'\nend\n",
    ],
    [
      'import json\nprint(json.dumps({"a": [1, None, True], "é": "x"}), json.loads("{\\"n\\": [1]}")["n"][0])',
      '{"a": [1, null, true], "\\u00e9": "x"} 1\n',
    ],
    ['import json\nprint(json.dumps({"a": {"b": []}}, indent=2, ensure_ascii=False))', '{\n  "a": {\n    "b": []\n  }\n}\n'],
    [
      'from datetime import datetime\nprint(datetime.utcnow().strftime("%Y-%m-%d %H:%M"), datetime.utcnow().isoformat()[:10])',
      '2026-11-21 12:00 2026-11-21\n',
    ],
    ['print(sorted([3, 1, 2], reverse=True), max(1, 5), sum([1, 2]), "yes" if [] else "no", (lambda x: x + 1)(1))', '[3, 2, 1] 5 3 no 2\n'],
    ['x = 1\ndef g():\n  global x\n  x = 2\ng()\nprint(x)', '2\n'],
  ])('%s', (code, out) => {
    expect(says(code)).toBe(out);
  });

  it('has the container around it', () => {
    const code = 'import os, socket, sys\nprint(os.environ["COLOR"], os.getenv("NONE", "none"), sys.argv)\nsys.exit(3)';
    expect(python(code, { env: { COLOR: 'red' } })).toMatchObject({
      code: 3,
      out: "red none ['-c']\n",
    });
  });

  it('sleeps in the time of the simulation', () => {
    expect(python('import time\ntime.sleep(2.5)').ms).toBeCloseTo(2500, -1);
  });

  it.each([
    ['print(nothing)', "NameError: name 'nothing' is not defined"],
    ['import flask', "ModuleNotFoundError: No module named 'flask'"],
    ['{}["k"]', "KeyError: 'k'"],
    ['"a" + 1', 'TypeError: can only concatenate str (not "int") to str'],
    ['if True\n  pass', "SyntaxError: expected ':'"],
    ['raise ValueError("bad")', 'ValueError: bad'],
    ['1 / 0', 'ZeroDivisionError: division by zero'],
    ['async def f(): pass', 'podnet\'s Python has no "async"'],
  ])('%s fails as it should', (code, why) => {
    const r = python(code);
    expect(r.code).toBe(1);
    expect(r.err).toContain(why);
  });

  it('ends a computation that never would', () => {
    expect(python('while True:\n  pass').err).toContain('no patience');
  });
});
