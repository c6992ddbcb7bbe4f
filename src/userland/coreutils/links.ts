// Tools that follow links: readlink, realpath.
import { absolute, lookup } from '../../linux/vfs.ts';
import { at, node } from './operands.ts';
import { error, has, out, type Run, type ToolSpec, usage } from './tool.ts';

/** The path without symlinks, or an Errno. The last part may be missing unless `strict`. */
function resolveLinks(r: Run, path: string, strict: boolean): string | null {
  const parts = at(r, path).split('/').filter(Boolean);
  let here = '';
  for (let i = 0, hops = 0; i < parts.length; i++) {
    const next = `${here}/${parts[i]}`;
    const n = lookup(r.p.fs, next, r.p, false);
    if (typeof n === 'string') return strict || i < parts.length - 1 ? null : next;
    if (n.kind === 'symlink') {
      if (++hops > 40) return null;
      parts.splice(
        0,
        i + 1,
        ...absolute(n.target, here || '/')
          .split('/')
          .filter(Boolean),
      );
      here = '';
      i = -1;
      continue;
    }
    here = next;
  }
  return here || '/';
}

export const READLINK: ToolSpec = {
  short: 'fnmeqsvz',
  long: { canonicalize: 'f', 'no-newline': 'n' },
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'readlink [-fnv] FILE');
    let status = 0;
    for (const path of r.args) {
      const n = node(r, path, false);
      const text =
        has(r, 'f') || has(r, 'e') || has(r, 'm')
          ? resolveLinks(r, path, has(r, 'e'))
          : typeof n !== 'string' && n.kind === 'symlink'
            ? n.target
            : null;
      if (text === null) status = 1;
      else out(r, has(r, 'n') ? text : `${text}\n`);
    }
    return status;
  },
};

export const REALPATH: ToolSpec = {
  short: 'emqsz',
  *run(r) {
    if (!r.args.length) return usage(r, 'missing operand', 'realpath FILE...');
    let status = 0;
    for (const path of r.args) {
      const text = resolveLinks(r, path, has(r, 'e') || r.bb);
      if (text === null) status = error(r, `${path}: No such file or directory`);
      else out(r, `${text}\n`);
    }
    return status;
  },
};
