// Functions as bash prints them again: type, declare -f (bash 5.2 print_cmd.c).
import type { CommandNode, CompoundList, HereDoc, PipelineNode, Redirection, Statement, TestExpression, Word } from 'unbash';
import { redirectionText, wordsText } from './command-text.ts';
import type { ShellFunction } from './types.ts';

interface Printer {
  source: string;
  indent: number;
  /** Here-documents whose text follows the line. */
  deferred: HereDoc[];
  /** One has just been printed: the next semicolon is left out. */
  after: boolean;
}

const pad = (p: Printer): string => ' '.repeat(p.indent);

/** Deeper by one level of four. */
function inner(p: Printer, print: () => string): string {
  p.indent += 4;
  const text = print();
  p.indent -= 4;
  return text;
}

const list = (words: readonly Word[]): string => words.map(w => w.text).join(' ');

function redirections(p: Printer, redirects: readonly Redirection[]): string {
  return redirects
    .map(r => {
      if (r.type !== 'HereDoc') return ` ${redirectionText(p.source, r)}`;
      p.deferred.push(r);
      return ` ${p.source.slice(r.pos, r.end).split('\n')[0]}`;
    })
    .join('');
}

/** The texts of the here-documents of the line that ends here. */
function hereDocs(p: Printer): string {
  const text = p.deferred
    .map(d => `\n${d.body.text}${p.source.slice(d.delimiter?.pos ?? 0, d.delimiter?.end ?? 0).replace(/['"\\]/g, '')}`)
    .join('');
  const any = p.deferred.length > 0;
  p.deferred = [];
  return any ? `${text}\n` : '';
}

function statements(p: Printer, commands: readonly Statement[]): string {
  let text = '';
  commands.forEach((statement, i) => {
    text += connected(p, statement);
    if (i === commands.length - 1) {
      if (statement.background) text += ' &';
      text += hereDocs(p);
      return;
    }
    if (statement.background) {
      text += ' & ';
      return;
    }
    const docs = hereDocs(p);
    if (docs) p.after = true;
    text += docs || (p.after ? '' : ';');
    if (!docs) p.after = false;
    text += `\n${pad(p)}`;
  });
  return text;
}

function connected(p: Printer, { command }: Statement): string {
  if (command.type !== 'AndOr') return pipeline(p, command);
  return command.commands.map((c, i) => (i ? ` ${command.operators[i - 1]} ` : '') + pipeline(p, c)).join('');
}

function pipeline(p: Printer, node: PipelineNode): string {
  if (node.type !== 'Pipeline') return command(p, node);
  const prefix = node.prefixes.map(x => (x.type === 'Negation' ? '! ' : `time ${x.posix ? '-p ' : ''}`)).join('');
  return prefix + node.commands.map((c, i) => (i ? (node.operators[i - 1] === '|&' ? ' 2>&1 | ' : ' | ') : '') + command(p, c)).join('');
}

/** A body between two keywords, each on its line. */
const block = (p: Printer, body: CompoundList, open: string, close: string): string =>
  `${open}\n${inner(p, () => pad(p) + statements(p, body.commands))};\n${pad(p)}${close}`;

function test(e: TestExpression): string {
  switch (e.type) {
    case 'TestUnary':
      return `${e.operator} ${e.operand.text}`;
    case 'TestBinary':
      return `${e.left.text} ${e.operator} ${e.right.text}`;
    case 'TestNot':
      return `${'! '.repeat(e.negations.length)}${test(e.operand)}`;
    case 'TestGroup':
      return `( ${test(e.expression)} )`;
    default:
      return e.operands.map(test).join(` ${e.operator} `);
  }
}

function command(p: Printer, node: CommandNode): string {
  const arithmetic = (e: { pos: number; end: number } | undefined) => (e ? p.source.slice(e.pos, e.end) : '');
  switch (node.type) {
    case 'Command':
      return wordsText(node) + redirections(p, node.redirects);
    case 'Redirected':
      return command(p, node.command) + redirections(p, node.redirects);
    case 'BraceGroup':
      return block(p, node.body, '{ ', '}').replace(/;\n( *)\}$/, '\n$1}');
    case 'Subshell':
      return `( ${statements(p, node.body.commands)} )`;
    case 'If':
      return conditional(p, node);
    case 'While':
      return block(p, node.body, `${node.kind} ${statements(p, node.clause.commands)}; do`, 'done');
    case 'For':
      return block(p, node.body, `for ${node.name.text} in ${node.wordlist ? list(node.wordlist) : '"$@"'};\n${pad(p)}do`, 'done');
    case 'Select':
      return block(p, node.body, `select ${node.name.text} in ${node.wordlist ? list(node.wordlist) : '"$@"'};\n${pad(p)}do`, 'done');
    case 'ArithmeticFor': {
      const parts = [node.initialize, node.test, node.update].map(e => arithmetic(e) || '1');
      return block(p, node.body, `for ((${parts.join('; ')}))\n${pad(p)}do`, 'done');
    }
    case 'Case': {
      const clauses = inner(p, () =>
        node.items
          .map(item => {
            const patterns = item.pattern.map(w => w.text).join(' | ');
            const body = item.body.commands.length ? inner(p, () => `\n${pad(p)}${statements(p, item.body.commands)}`) : '\n';
            return `\n${pad(p)}${patterns})${body}\n${pad(p)}${item.terminator ?? ';;'}`;
          })
          .join(''),
      );
      return `case ${node.word.text} in ${clauses}\n${pad(p)}esac`;
    }
    case 'TestCommand':
      return `[[ ${test(node.expression)} ]]`;
    case 'ArithmeticCommand':
      return `((${node.body}))`;
    case 'Function':
      return `function ${functionText(node.name.text, { body: node.body, source: p.source, pos: node.pos, end: node.end }, p)}`;
    case 'Coproc':
      return `coproc ${node.name?.text ?? 'COPROC'} ${node.body.type === 'CompoundList' ? statements(p, node.body.commands) : command(p, node.body)}`;
  }
}

function conditional(p: Printer, node: Extract<CommandNode, { type: 'If' }>): string {
  // elif is an if of its own within else.
  const branch = (i: number): string => {
    const own = i < 0 ? node : node.elif[i];
    const more = i + 1 < node.elif.length;
    const otherwise = more
      ? inner(p, () => `${pad(p)}${branch(i + 1)}`)
      : node.else
        ? inner(p, () => pad(p) + statements(p, node.else?.commands ?? []))
        : null;
    return block(
      p,
      own.then,
      `if ${statements(p, own.clause.commands)}; then`,
      otherwise === null ? 'fi' : `else\n${otherwise};\n${pad(p)}fi`,
    );
  };
  return branch(-1);
}

/** `name () ` and the body in braces. */
export function functionText(name: string, f: ShellFunction, within?: Printer): string {
  const p: Printer = { source: f.source, indent: within?.indent ?? 0, deferred: [], after: false };
  const redirected = f.body.type === 'Redirected' ? f.body : null;
  const body = redirected ? redirected.command : f.body;
  const commands = body.type === 'BraceGroup' ? body.body.commands : body.type === 'CompoundList' ? body.commands : null;
  const inside = inner(p, () => pad(p) + (commands ? statements(p, commands) : command(p, body as CommandNode)));
  const end = redirected ? redirections(p, redirected.redirects) + hereDocs(p) : '';
  return `${name} () \n${pad(p)}{ \n${inside}\n${pad(p)}}${end}`;
}
