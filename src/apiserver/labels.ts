// Label and field selectors (k8s.io/apimachinery/pkg/labels, pkg/fields v0.36.3).

export interface Requirement {
  key: string;
  operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist' | 'Gt' | 'Lt';
  values: string[];
}

export interface LabelSelector {
  matchLabels?: Record<string, string>;
  matchExpressions?: { key: string; operator: string; values?: string[] }[];
}

type Labels = Record<string, string> | undefined;

/** metav1.LabelSelector: none (null) selects nothing, an empty one everything. */
export function matchLabelSelector(selector: LabelSelector | null | undefined, labels: Labels): boolean {
  if (!selector) return false;
  for (const key in selector.matchLabels) if (labels?.[key] !== selector.matchLabels[key]) return false;
  for (const e of selector.matchExpressions ?? []) if (!matchExpression(e.key, e.operator, e.values ?? [], labels)) return false;
  return true;
}

/** A plain map, as a Service's spec.selector. */
export function matchMap(selector: Record<string, string> | undefined, labels: Labels): boolean {
  for (const key in selector) if (labels?.[key] !== selector[key]) return false;
  return true;
}

function matchExpression(key: string, operator: string, values: string[], labels: Labels): boolean {
  const value = labels && Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
    case 'Lt': {
      if (value === undefined || !/^[+-]?\d+$/.test(value)) return false;
      return operator === 'Gt' ? Number(value) > Number(values[0]) : Number(value) < Number(values[0]);
    }
    default:
      return false;
  }
}

export function matchRequirements(requirements: Requirement[], labels: Labels): boolean {
  for (const r of requirements) if (!matchExpression(r.key, r.operator, r.values, labels)) return false;
  return true;
}

/** The text of a selector, keys sorted, as labels.Selector prints it: `a=b,c in (d,e)`. */
export function formatLabelSelector(selector: LabelSelector | null | undefined): string {
  if (!selector) return '<none>';
  const parts: [string, string][] = Object.entries(selector.matchLabels ?? {}).map(([k, v]) => [k, `${k}=${v}`]);
  for (const e of selector.matchExpressions ?? []) {
    const values = [...(e.values ?? [])].sort().join(',');
    if (e.operator === 'Exists') parts.push([e.key, e.key]);
    else if (e.operator === 'DoesNotExist') parts.push([e.key, `!${e.key}`]);
    else parts.push([e.key, `${e.key} ${e.operator === 'In' ? 'in' : 'notin'} (${values})`]);
  }
  parts.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  return parts.length ? parts.map(p => p[1]).join(',') : '<none>';
}

type Token = { type: 'word' | 'op' | 'end'; text: string };

function lex(text: string): Token[] {
  const out: Token[] = [];
  const re = /\s+|(==|!=|=|,|\(|\)|!|>|<)|([^\s=,()!><]+)/g;
  for (const m of text.matchAll(re)) {
    if (m[1]) out.push({ type: 'op', text: m[1] });
    else if (m[2]) out.push({ type: 'word', text: m[2] });
  }
  out.push({ type: 'end', text: '' });
  return out;
}

const NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const NAME_HELP =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_HELP =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

class Bad {
  constructor(readonly message: string) {}
}

const keyError = (key: string): Bad | null => {
  const name = key.slice(key.indexOf('/') + 1);
  return NAME.test(name) ? null : new Bad(`<nil>: Invalid value: ${JSON.stringify(key)}: ${NAME_HELP}`);
};

/** `a=b,c!=d,e in (f,g),!h`: the requirements, or the parser's error text. */
export function parseSelector(text: string): Requirement[] | string {
  const tokens = lex(text);
  const out: Requirement[] = [];
  let i = 0;
  try {
    if (tokens[0].type === 'end') return out;
    for (;;) {
      out.push(requirement());
      const t = tokens[i];
      if (t.type === 'end') return out.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
      if (t.text !== ',') throw new Bad(`found '${t.text}', expected: ',' or 'end of string'`);
      i++;
      if (tokens[i].type === 'end') throw new Bad("found '', expected: identifier after ','");
      if (tokens[i].type === 'op' && tokens[i].text !== '!') throw new Bad(`found '${tokens[i].text}', expected: identifier after ','`);
    }
  } catch (e) {
    if (e instanceof Bad) return e.message;
    throw e;
  }

  /** labels.Parse tells which part was wrong (k8s.io/apimachinery v0.36.3, pkg/labels/selector.go). */
  function requirement(): Requirement {
    const { type, text } = tokens[i];
    if (type !== 'word' && text !== '!') throw new Bad(`found '${text}', expected: !, identifier, or 'end of string'`);
    try {
      return oneRequirement();
    } catch (e) {
      throw e instanceof Bad ? new Bad(`unable to parse requirement: ${e.message}`) : e;
    }
  }

  function oneRequirement(): Requirement {
    let not = false;
    if (tokens[i].text === '!') {
      not = true;
      i++;
    }
    const t = tokens[i];
    if (t.type !== 'word') throw new Bad(`found '${t.text}', expected: identifier`);
    const key = t.text;
    i++;
    const bad = keyError(key);
    if (bad) throw bad;
    if (not) return { key, operator: 'DoesNotExist', values: [] };
    const op = tokens[i];
    if (op.type === 'end' || op.text === ',') return { key, operator: 'Exists', values: [] };
    i++;
    if (op.text === 'in' || op.text === 'notin') return { key, operator: op.text === 'in' ? 'In' : 'NotIn', values: set() };
    const table: Record<string, Requirement['operator']> = { '=': 'In', '==': 'In', '!=': 'NotIn', '>': 'Gt', '<': 'Lt' };
    if (!table[op.text]) throw new Bad(`found '${op.text}', expected: in, notin, =, ==, !=, gt, lt`);
    const v = tokens[i];
    if (v.type === 'op' && v.text !== ',') throw new Bad(`found '${v.text}', expected: identifier`);
    const value = v.type === 'word' ? v.text : '';
    if (v.type === 'word') i++;
    if (table[op.text] === 'Gt' || table[op.text] === 'Lt') {
      if (!/^[+-]?\d+$/.test(value)) throw new Bad("for 'Gt', 'Lt' operators, the value must be an integer");
    } else checkValue(key, value);
    return { key, operator: table[op.text], values: [value] };
  }

  function checkValue(key: string, value: string): void {
    if (value && (!NAME.test(value) || value.length > 63)) {
      const why = value.length > 63 ? 'must be no more than 63 bytes' : VALUE_HELP;
      throw new Bad(`values[0][${key}]: Invalid value: ${JSON.stringify(value)}: ${why}`);
    }
  }

  function set(): string[] {
    if (tokens[i].text !== '(') throw new Bad(`found '${tokens[i].text}' expected: '('`);
    i++;
    if (tokens[i].type !== 'word' && !/^[,)]$/.test(tokens[i].text))
      throw new Bad(`found '${tokens[i].text}', expected: ',', ')' or identifier`);
    const values: string[] = [];
    let word = '';
    for (;;) {
      const t = tokens[i++];
      if (t.type === 'word') word = t.text;
      else if (t.text === ',' || t.text === ')') {
        values.push(word);
        word = '';
        if (t.text === ')') return [...new Set(values)];
      } else throw new Bad(`found '${t.text}', expected: ',' or ')'`);
    }
  }
}

export interface FieldRequirement {
  field: string;
  negate: boolean;
  value: string;
}

/** `a=b,c!=d` with backslash escapes; the error text otherwise. */
export function parseFieldSelector(text: string): FieldRequirement[] | string {
  const out: FieldRequirement[] = [];
  for (const part of text.match(/(?:\\.|[^,])+/g) ?? []) {
    const m = /^((?:\\.|[^=!])*)(!=|==|=)([\s\S]*)$/.exec(part);
    if (!m) return `invalid selector: '${text}'; can't understand '${part}'`;
    out.push({ field: m[1], negate: m[2] === '!=', value: m[3].replace(/\\(.)/g, '$1') });
  }
  return out;
}
