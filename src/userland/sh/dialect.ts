// unbash reads everything as bash does. What dash and BusyBox ash do not know is found here, after parsing and before running.
import { forEachChild, type ParsedScript, type SyntaxNode } from 'unbash';
import type { ShellKind } from './types.ts';

export interface Foreign {
  pos: number;
  /** What the shell says after `Syntax error: ` or `syntax error: `. */
  text: string;
}

const unexpected = (kind: ShellKind, token: string): string => (kind === 'ash' ? `unexpected "${token}"` : `"${token}" unexpected`);

function check(node: SyntaxNode, kind: ShellKind): string | null {
  switch (node.type) {
    case 'ArrayValue':
      return unexpected(kind, '(');
    case 'ArithmeticFor':
      return kind === 'ash' ? 'bad for loop variable' : 'Bad for loop variable';
    case 'HereString':
      return kind === 'ash' ? 'unexpected redirection' : 'redirection unexpected';
    case 'ProcessSubstitution':
      return kind === 'ash' ? null : unexpected(kind, '(');
    case 'CaseItem':
      return node.terminator && node.terminator !== ';;'
        ? kind === 'ash'
          ? 'unexpected word (expecting ")")'
          : 'word unexpected (expecting ")")'
        : null;
    case 'TestBinary':
      // `[[` is a command to dash: parentheses in its words are the surprise.
      return kind === 'dash' && node.right.text.includes('(') ? unexpected(kind, '(') : null;
    case 'Select':
      return unexpected(kind, 'do');
    default:
      return null;
  }
}

const known = new WeakMap<ParsedScript, Map<ShellKind, Foreign | null>>();

/** The first construct of bash's that this shell refuses when it reads the text. */
export function foreignSyntax(script: ParsedScript, source: string, kind: ShellKind): Foreign | null {
  if (kind === 'bash' || kind === 'zsh') return null;
  let perKind = known.get(script);
  if (!perKind) {
    perKind = new Map();
    known.set(script, perKind);
  }
  const cached = perKind.get(kind);
  if (cached !== undefined) return cached;
  let found: Foreign | null = null;
  const visit = (node: SyntaxNode): void => {
    if (found) return;
    // `function f { …` is a command named function to dash: the brace that closes is the surprise.
    if (kind === 'dash' && node.type === 'Function' && /^function\s/.test(source.slice(node.pos, node.end)))
      found = { pos: node.end - 1, text: unexpected(kind, '}') };
    else {
      const text = check(node, kind);
      if (text) found = { pos: node.pos, text };
      else forEachChild(node, visit);
    }
  };
  for (const statement of script.commands) visit(statement);
  perKind.set(kind, found);
  return found;
}
