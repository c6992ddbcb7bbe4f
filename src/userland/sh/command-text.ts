// Simple commands as bash prints them: in $BASH_COMMAND.
import type { Assignment, Command, Redirection } from 'unbash';
import type { Shell } from './types.ts';

/** The command as bash prints it: its words as they stand, one blank between them, redirections in their own form. */
export function commandText(sh: Shell, node: Command): () => string {
  const { source } = sh;
  return () => text(source, node);
}

const text = (source: string, node: Command): string =>
  [wordsText(node), ...node.redirects.map(r => redirectionText(source, r))].filter(Boolean).join(' ');

/** Assignments, name and arguments as they stand. */
export const wordsText = (node: Command): string =>
  [...node.prefix.filter((x): x is Assignment => x.type === 'Assignment'), ...(node.name ? [node.name] : []), ...node.args]
    .map(w => w.text)
    .join(' ');

export function redirectionText(source: string, r: Redirection): string {
  if (r.type === 'HereDoc') return source.slice(r.pos, r.end);
  const d = r.descriptor;
  const fd = d?.type === 'FileDescriptor' ? d.value : d ? `{${d.name}}` : '';
  const target = r.target?.text ?? '';
  const standard = r.operator === '>&' || r.operator === '<&';
  return `${fd === '' && standard ? (r.operator === '>&' ? 1 : 0) : fd}${r.operator}${standard ? '' : ' '}${target}`;
}
