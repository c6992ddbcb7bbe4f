// A rule's fieldPath: `.spec.replicas`, `.labels['a.b']` (ValidFieldPath of apiextensions-apiserver/pkg/apiserver/schema/cel v0.36.3).

import { isMap } from '../json.ts';
import type { CustomSchema } from './schema.ts';

const STEP = /\.([^.[\]]+)|\['((?:\\.|[^'\\])*)'\]/y;

/** As field errors write it: `spec.replicas`, `labels[a.b]`. null: it is no path of the schema. */
export function fieldPathOf(text: string, schema: CustomSchema): string | null {
  let at = '';
  let s: CustomSchema | undefined = schema;
  STEP.lastIndex = 0;
  for (let end = 0; end < text.length; end = STEP.lastIndex) {
    STEP.lastIndex = end;
    const m = STEP.exec(text);
    if (!m || !s) return null;
    const name = m[1] ?? m[2].replace(/\\(.)/g, '$1');
    if (isMap(s.properties)) {
      s = s.properties[name];
      if (!s) return null;
      at += at ? `.${name}` : name;
    } else if (isMap(s.additionalProperties)) {
      s = s.additionalProperties;
      at += `[${name}]`;
    } else return null;
  }
  return at || null;
}
