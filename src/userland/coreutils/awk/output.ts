// Where awk writes: its output, files and commands, each open until it is closed; and the text of printf.
import { spawn, strerror, waitFor } from '../../../linux/process.ts';
import { closePipe, newPipe, type Pipe, writePipe } from '../../../sim/pipe.ts';
import type { Co } from '../../../sim/task.ts';
import { formatPrintf } from '../../sh/printf.ts';
import { fileSink } from '../../sh/redirect.ts';
import { fromBinary, outBinary } from '../tool.ts';
import { value } from './evaluate.ts';
import type { Node } from './expression.ts';
import { AwkError } from './lex.ts';
import { type Awk, toStr } from './machine.ts';
import { toNum, type Value } from './values.ts';

export function* output(a: Awk, to: { op: string; e: Node } | null, text: string): Co<void> {
  if (!to) {
    if (outBinary(a.r, text)) {
      a.broken = true;
      a.jump = 'exit';
    }
    return;
  }
  const name = toStr(a, yield* value(a, to.e));
  let target = a.outputs.get(name);
  if (!target) {
    target = yield* open(a, to.op, name);
    a.outputs.set(name, target);
  }
  writePipe(target.pipe, fromBinary(text));
}

function* open(a: Awk, op: string, name: string): Co<{ pipe: Pipe; end: () => Co<number> }> {
  const { p } = a.r;
  if (op === '|') {
    const pipe = newPipe();
    const child = spawn(p.kernel, { netns: p.netns, fs: p.fs, parent: p, argv: ['sh', '-c', name], stdin: pipe });
    return {
      pipe,
      *end() {
        closePipe(pipe);
        return typeof child === 'string' ? 127 : yield* waitFor(child);
      },
    };
  }
  const sink = name === '/dev/stderr' ? p.stderr : name === '/dev/stdout' || name === '-' ? p.stdout : fileSink(p, name, op === '>>');
  if (typeof sink === 'string') throw new AwkError(`cannot open "${name}" for output (${strerror(sink)})`);
  return {
    pipe: sink,
    *end() {
      return 0;
    },
  };
}

export function* close(a: Awk, name: string): Co<number> {
  a.inputs.delete(name);
  const target = a.outputs.get(name);
  a.outputs.delete(name);
  return target ? yield* target.end() : -1;
}

/** sprintf: the escapes of the format were read with the program. */
export function printfText(a: Awk, v: Value[]): string {
  const format = toStr(a, v[0]);
  return formatPrintf(format.replace(/\\/g, '\\\\'), printfArguments(a, format, v.slice(1)), t => t).text;
}

/** printf's arguments as its conversions want them; missing ones count as empty, so that the format is used once. */
function printfArguments(a: Awk, format: string, values: Value[]): string[] {
  const out: string[] = [];
  for (const [, stars, letter] of format.replace(/%%/g, '').matchAll(/%[-+ #0]*((?:\*|\d)*(?:\.(?:\*|\d)*)?)([a-zA-Z])/g)) {
    for (const c of stars) if (c === '*') out.push(integerText(String(toNum(values.shift()))));
    const v = values.shift();
    if (letter === 'c') out.push(typeof v === 'number' ? String.fromCharCode(v & 255) : toStr(a, v));
    else if (/[diouxX]/.test(letter)) out.push(integerText(String(toNum(v))));
    else if (/[eEfFgG]/.test(letter)) out.push(String(toNum(v)));
    else out.push(toStr(a, v));
  }
  return out;
}

function integerText(v: string): string {
  const n = Math.trunc(toNum(v));
  return Number.isFinite(n) ? BigInt(n).toString() : String(n);
}
