// What the options of a request may say (k8s.io/apimachinery v0.36.3, pkg/apis/meta/v1/validation and pkg/apis/meta/internalversion).
import type { FieldError } from '../field.ts';
import { invalid } from '../status.ts';
import type { Status, Verb } from '../types.ts';
import { first, flag, type Query } from './message.ts';

const KINDS: Partial<Record<Verb, string>> = {
  create: 'CreateOptions',
  update: 'UpdateOptions',
  patch: 'PatchOptions',
  delete: 'DeleteOptions',
  deletecollection: 'DeleteOptions',
  list: 'ListOptions',
  watch: 'ListOptions',
};

const notSupported = (field: string, value: unknown, supported: string[]): FieldError => {
  const detail = `supported values: ${supported.map(s => JSON.stringify(s)).join(', ')}`;
  return { type: 'NotSupported', field, value, detail };
};

export interface WriteOptions {
  dryRun: string[];
  propagationPolicy?: unknown;
  /** Server-side apply. */
  applies: boolean;
}

/** null: they are fine. */
export function optionsProblem(verb: Verb, query: Query, o: WriteOptions): Status | null {
  const errors: FieldError[] = [];
  if (verb === 'create' || verb === 'update' || verb === 'patch') {
    if (o.applies && !first(query, 'fieldManager'))
      errors.push({ type: 'Required', field: 'fieldManager', value: '', detail: 'is required for apply patch' });
    if (verb === 'patch' && !o.applies && query.has('force'))
      errors.push({ type: 'Forbidden', field: 'force', value: '', detail: 'may not be specified for non-apply patch' });
  }
  if (o.dryRun.some(d => d !== 'All')) errors.push(notSupported('dryRun', o.dryRun, ['All']));
  const validation = first(query, 'fieldValidation') ?? '';
  if (KINDS[verb] && KINDS[verb] !== 'ListOptions' && !['', 'Ignore', 'Strict', 'Warn'].includes(validation))
    errors.push(notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']));
  const policy = o.propagationPolicy;
  if (policy !== undefined && policy !== null && !['Foreground', 'Background', 'Orphan'].includes(String(policy)))
    errors.push(notSupported('propagationPolicy', policy, ['Foreground', 'Background', 'Orphan', 'nil']));
  if (verb === 'watch' && flag(query, 'sendInitialEvents') && first(query, 'resourceVersionMatch') !== 'NotOlderThan') {
    const detail = 'sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
    errors.push({ type: 'Forbidden', field: 'resourceVersionMatch', value: '', detail });
  }
  return errors.length ? invalid('meta.k8s.io', KINDS[verb] ?? 'ListOptions', '', errors) : null;
}
