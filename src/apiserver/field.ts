// Field errors of validation (k8s.io/apimachinery/pkg/util/validation/field v0.36.3).

import { goQuote } from '../sim/quote.ts';

export type FieldErrorType =
  | 'NotFound'
  | 'Required'
  | 'Duplicate'
  | 'Invalid'
  | 'NotSupported'
  | 'Forbidden'
  | 'TooLong'
  | 'TooMany'
  | 'TooFew'
  | 'TypeInvalid'
  | 'InternalError'
  | 'TooShort';

export interface FieldError {
  type: FieldErrorType;
  field: string;
  /** Shown as JSON (strings quoted as Go does); OMIT: not shown. */
  value: unknown;
  detail: string;
}

export const OMIT = Symbol('omit');

const TEXT: Record<FieldErrorType, string> = {
  NotFound: 'Not found',
  Required: 'Required value',
  Duplicate: 'Duplicate value',
  Invalid: 'Invalid value',
  NotSupported: 'Unsupported value',
  Forbidden: 'Forbidden',
  TooLong: 'Too long',
  TooMany: 'Too many',
  TooFew: 'Too few',
  TypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
  TooShort: 'Too short',
};

const VALUELESS = new Set<FieldErrorType>(['Required', 'Forbidden', 'TooLong', 'TooShort', 'InternalError']);

export function errorBody(e: FieldError): string {
  let s = TEXT[e.type];
  if (!VALUELESS.has(e.type) && e.value !== OMIT) s += `: ${typeof e.value === 'string' ? goQuote(e.value) : goJson(e.value)}`;
  return e.detail ? `${s}: ${e.detail}` : s;
}

/** encoding/json of a value: keys as they are, HTML characters escaped. */
export function goJson(value: unknown): string {
  if (value === undefined) return 'null';
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export const required = (field: string, detail = ''): FieldError => ({ type: 'Required', field, value: '', detail });
export const invalidField = (field: string, value: unknown, detail: string): FieldError => ({ type: 'Invalid', field, value, detail });
export const duplicate = (field: string, value: unknown): FieldError => ({ type: 'Duplicate', field, value, detail: '' });
export const notFoundField = (field: string, value: unknown): FieldError => ({ type: 'NotFound', field, value, detail: '' });
export const forbiddenField = (field: string, detail: string): FieldError => ({ type: 'Forbidden', field, value: '', detail });
export const tooLong = (field: string, max: number): FieldError => ({
  type: 'TooLong',
  field,
  value: '',
  detail: max >= 0 ? `may not be more than ${max} ${max === 1 ? 'byte' : 'bytes'}` : 'value is too long',
});
export const tooMany = (field: string, actual: number, max: number): FieldError => ({
  type: 'TooMany',
  field,
  value: actual >= 0 ? actual : OMIT,
  detail: max >= 0 ? `must have at most ${max} ${max === 1 ? 'item' : 'items'}` : 'has too many items',
});
export function notSupported(field: string, value: unknown, supported: readonly string[]): FieldError {
  const detail = supported.length ? `supported values: ${supported.map(goQuote).join(', ')}` : '';
  return { type: 'NotSupported', field, value, detail };
}
