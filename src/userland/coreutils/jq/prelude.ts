// Builtins that jq defines in its own language (jq 1.6 src/builtin.jq has the like): read when the first of them is called.
import { type Filter, parseJq } from './parse.ts';

const SOURCE = `
def values: select(. != null);
def nth($n): .[$n];
def nth($n; f): last(limit($n + 1; f));
def paths(node_filter): . as $dot | paths | select(. as $p | $dot | getpath($p) | node_filter);
def leaf_paths: paths(scalars);
def any(source; cond): isempty(first(source | cond or empty)) | not;
def all(source; cond): isempty(first(source | cond and empty));
def isempty(g): [limit(1; g)] | length == 0;
def until(cond; update): if cond then . else update | until(cond; update) end;
def while(cond; update): if cond then ., (update | while(cond; update)) else empty end;
def repeat(f): ., (f | repeat(f));
def in(xs): . as $x | xs | has($x);
def walk(f): if type == "object" then map_values(walk(f)) elif type == "array" then map(walk(f)) else . end | f;
def INDEX(stream; idx_expr): reduce stream as $row ({}; .[$row | idx_expr | tostring] |= $row);
def INDEX(idx_expr): INDEX(.[]; idx_expr);
def IN(s): any(s == .; .);
def IN(src; s): any(src == s; .);
def scan($re): match($re; "g") | if (.captures | length) > 0 then [.captures[].string] else .string end;
def iterables: select(type == "array" or type == "object");
def combinations: if length == 0 then [] else .[0][] as $x | (.[1:] | combinations) as $w | [$x] + $w end;
def combinations(n): . as $dot | [range(n)] | map($dot) | combinations;
def ascii: [.] | implode;
def tostream: def t($p): if (type == "array" or type == "object") and length > 0 then keys_unsorted as $ks | ($ks[] as $k | .[$k] | t($p + [$k])), [$p + [$ks[-1]]] else [$p, .] end; t([]);
def add(f): reduce f as $x (null; . + $x);
def pick(pathexps): . as $top | reduce path(pathexps) as $p (null; setpath($p; $top | getpath($p)));
def recurse(f; cond): def r: ., (f | select(cond) | r); r;
def halt_error: halt_error(5);
.`;

interface Definition {
  params: string[];
  body: Filter;
}

let table: Map<string, Definition> | null = null;

/** `name/arguments` -> its definition. */
export function prelude(): Map<string, Definition> {
  if (!table) {
    table = new Map();
    let f = parseJq(SOURCE);
    for (; f.t === 'def'; f = f.rest) table.set(`${f.name}/${f.params.length}`, { params: f.params, body: f.body });
  }
  return table;
}
