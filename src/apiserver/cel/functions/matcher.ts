// RE2 patterns in expressions.

import { compile } from '../../regexp.ts';
import { CelError } from '../values.ts';

export function matcher(text: string): RegExp {
  const re = compile(text);
  if (!re) throw new CelError(`error parsing regexp: invalid or unsupported Perl syntax: \`${text}\``);
  return re;
}
