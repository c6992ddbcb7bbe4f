// A template as its tree writes itself (the String methods of text/template/parse).
import { goQuote } from '../quote.ts';
import type { Expr, Node, Pipe, Template } from './parse.ts';

export const exprText = (e: Expr): string => {
  if (e.type === 'pipe') return `(${pipeText(e.pipe)})`;
  return e.type === 'chain' ? `${exprText(e.of)}${e.names.map(n => `.${n}`).join('')}` : e.text;
};

function pipeText(p: Pipe): string {
  const vars = p.vars.length ? `${p.vars.join(', ')} ${p.declare ? ':=' : '='} ` : '';
  return vars + p.commands.map(c => c.args.map(exprText).join(' ')).join(' | ');
}

function nodeText(n: Node): string {
  switch (n.type) {
    case 'text':
      return n.text;
    case 'action':
      return `{{${pipeText(n.pipe)}}}`;
    case 'break':
    case 'continue':
      return `{{${n.type}}}`;
    case 'template':
      return `{{template ${goQuote(n.name)}${n.pipe ? ` ${pipeText(n.pipe)}` : ''}}}`;
    default: {
      const otherwise = n.otherwise.length ? `{{else}}${n.otherwise.map(nodeText).join('')}` : '';
      return `{{${n.type} ${pipeText(n.pipe)}}}${n.body.map(nodeText).join('')}${otherwise}{{end}}`;
    }
  }
}

export const templateText = (t: Template): string => t.main.map(nodeText).join('');
