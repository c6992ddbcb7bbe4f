// Media types: what a client takes, what it has sent (k8s.io/apiserver v0.36.3, pkg/endpoints/handlers/negotiation).
import { bytesToString } from '../../sim/bytes.ts';
import { inGoOrder } from '../go-order.ts';
import { isMap, type Json } from '../json.ts';
import { badRequest, failure } from '../status.ts';
import type { KubeList, KubeObject, Status, Table } from '../types.ts';
import { type Exchange, first, flag, type HttpReply, type Query, type Shape } from './message.ts';
import { readProtobuf } from './protobuf.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';
const SPOKEN = 'application/json, application/yaml';

interface MediaType {
  type: string;
  params: Record<string, string>;
}

export function parseMediaType(text: string): MediaType {
  const [type, ...rest] = text.split(';').map(s => s.trim());
  return { type: type.toLowerCase(), params: Object.fromEntries(rest.map(p => p.split(/=(.*)/s).slice(0, 2))) };
}

export const acceptedTypes = (accept: string): MediaType[] => accept.split(',').filter(Boolean).map(parseMediaType);

/** Which of the shapes that the client names comes first, or 406. `watchable`: what is asked for can be watched. */
export function shapeOf(accept: string, userAgent: string, query: Query, watchable = false): Shape | Status {
  const pretty = query.has('pretty') ? flag(query, 'pretty') : /^(curl|Wget|Mozilla)/.test(userAgent);
  const include = first(query, 'includeObject');
  const includeObject = include === 'None' || include === 'Object' ? include : 'Metadata';
  const wanted = acceptedTypes(accept);
  for (const { type, params } of wanted.length ? wanted : [parseMediaType('*/*')]) {
    const yaml = type === 'application/yaml';
    if (!yaml && !['application/json', '*/*', 'application/*'].includes(type)) continue;
    const meta = params.g === 'meta.k8s.io' && /^v1(beta1)?$/.test(params.v ?? '');
    if (!params.as) return { as: 'object', includeObject, yaml, pretty };
    if (meta && params.as === 'Table') return { as: 'table', includeObject, yaml, pretty };
    if (meta && /^PartialObjectMetadata(List)?$/.test(params.as)) return { as: 'partial', includeObject, yaml, pretty };
  }
  if (wanted.some(m => m.type === PROTOBUF)) return notAcceptable(`only the following media types are accepted: ${SPOKEN}`);
  if (wanted.some(m => m.params.as)) return notAcceptable(`only the following media types are accepted: ${SPOKEN}, ${PROTOBUF}`);
  const streams = watchable ? `, application/json;stream=watch, ${PROTOBUF};stream=watch` : '';
  const message = `406: Not Acceptable\n\nAvailable representations: ${SPOKEN}, ${PROTOBUF}${streams}`;
  return { ...notAcceptable(message), details: {} };
}

export const NOT_ALLOWED = failure(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {});

const notAcceptable = (message: string): Status => failure(406, 'NotAcceptable', message);

const unknownFormat = (types: string): Status =>
  failure(415, 'UnsupportedMediaType', `the body of the request was in an unknown format - accepted media types include: ${types}`);

/** The body of a write. Nothing at all is undefined, if it may be. */
export function decodeBody(x: Exchange, kind: string, needed: boolean): { body: unknown } | Status {
  const { type } = parseMediaType(x.request.headers['content-type'] ?? '');
  const spoken = ['', 'application/json', '*/*', 'application/yaml', PROTOBUF, 'application/x-www-form-urlencoded'];
  if (!x.request.body.length) return needed ? fromJson(x, kind) : { body: undefined };
  if (!spoken.includes(type)) return unknownFormat(`${SPOKEN}, ${PROTOBUF}`);
  if (type === PROTOBUF) return fromProtobuf(x, kind);
  return type === 'application/yaml' ? fromYaml(x, kind) : fromJson(x, kind);
}

function fromProtobuf(x: Exchange, kind: string): { body: unknown } | Status {
  const read = readProtobuf(x.request.body);
  if ('value' in read) return { body: read.value };
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${read.error}`);
}

function fromJson(x: Exchange, kind: string): { body: unknown } | Status {
  const text = bytesToString(x.request.body);
  const read = parsed(text);
  if (read) return read;
  const problem = `couldn't get version/kind; json parse error: ${x.backend.jsonError(text)} (${summary(x.request.body)})`;
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${problem}`);
}

/** apiserver's summarizeData: JSON is shown as it is, everything else in hexadecimal, 30 bytes of each. */
function summary(data: Uint8Array): string {
  if (!data.length) return '<empty>';
  const shown = data.subarray(0, 30);
  const text = data[0] === 0x7b ? bytesToString(shown) : [...shown].map(b => b.toString(16).padStart(2, '0')).join('');
  return data.length > 30 ? `${text} ...` : text;
}

/** `strategic`: those patches are decoded elsewhere, and fail in other words (pkg/endpoints/handlers/patch.go). */
export function patchFromJson(x: Exchange, strategic: boolean): { body: unknown } | Status {
  const text = bytesToString(x.request.body);
  const why = () => x.backend.jsonError(text);
  return parsed(text) ?? badRequest(strategic ? why() : `error decoding patch: ${why()}`);
}

function parsed(text: string): { body: unknown } | null {
  try {
    return { body: JSON.parse(text) };
  } catch {
    return null;
  }
}

export function fromYaml(x: Exchange, kind: string): { body: unknown } | Status {
  const read = x.backend.fromYaml(bytesToString(x.request.body));
  if ('value' in read) return { body: read.value };
  return badRequest(`the object provided is unrecognized (must be of type ${kind}): ${read.error}`);
}

/** An answer about objects, as the client wants to see them. */
export function reply(
  x: Exchange,
  shape: Shape,
  body: KubeObject | KubeList | Table | Status,
  code: number,
  warnings: string[] = [],
): HttpReply {
  const headers: HttpReply['headers'] = [['Content-Type', shape.yaml ? 'application/yaml' : 'application/json']];
  for (const w of warnings) headers.push(['Warning', `299 - ${JSON.stringify(w)}`]);
  if (code === 403) headers.push(['X-Content-Type-Options', 'nosniff']);
  const retry = (body as Status).details?.retryAfterSeconds;
  if (retry) headers.push(['Retry-After', String(retry)]);
  const shown = shaped(body, shape);
  return { code, headers, body: shape.yaml ? x.backend.toYaml(shown) : jsonText(shown, shape.pretty) };
}

/** Also for the events of a watch. */
export function shaped(body: KubeObject | KubeList | Table | Status, shape: Shape): Json {
  if (body.kind === 'Status') return statusShown(body as Status);
  if (body.kind === 'Table' && Array.isArray((body as Table).rows)) return ordered(tableShown(body as Table, shape));
  if (shape.as === 'partial') return ordered(partial(body as KubeObject | KubeList));
  return inGoOrder(body as KubeObject | KubeList);
}

function statusShown(s: Status): Json {
  // Status and StatusDetails as apimachinery declares them (pkg/apis/meta/v1/types.go).
  const { kind, apiVersion, metadata, status, message, reason, details, code, ...rest } = s;
  const { name, group, kind: of, uid, ...more } = details ?? {};
  const shown = details && { name, group, kind: of, uid, ...more };
  return { kind, apiVersion, metadata, ...rest, status, message, reason, details: shown, code: status === 'Success' ? undefined : code };
}

const META = 'meta.k8s.io/v1';

const partialObject = (o: KubeObject): KubeObject => ({ kind: 'PartialObjectMetadata', apiVersion: META, metadata: o.metadata });

function partial(body: KubeObject | KubeList): Json {
  if (!Array.isArray(body.items)) return partialObject(body as KubeObject);
  return { kind: 'PartialObjectMetadataList', apiVersion: META, metadata: body.metadata, items: body.items.map(partialObject) };
}

function tableShown(table: Table, shape: Shape): Table {
  if (shape.includeObject === 'Object') return table;
  const rows = table.rows.map(({ object, ...row }) => (shape.includeObject === 'None' ? row : { ...row, object: partialObject(object) }));
  return { ...table, rows: rows as Table['rows'] };
}

/** Kind and version first, as Go's structs have them. */
export function ordered(x: Json): Json {
  if (Array.isArray(x)) return x.map(ordered);
  if (!isMap(x)) return x;
  const { kind, apiVersion, metadata, ...rest } = x;
  const out: Json = {};
  if (kind !== undefined) out.kind = kind;
  if (apiVersion !== undefined) out.apiVersion = apiVersion;
  if (metadata !== undefined) out.metadata = ordered(metadata);
  for (const [k, v] of Object.entries(rest)) if (v !== undefined) out[k] = ordered(v);
  return out;
}

/** encoding/json escapes what HTML would read; these signs stand in strings only. */
export const jsonText = (o: Json, pretty: boolean): string =>
  (pretty ? JSON.stringify(o, null, 2) : `${JSON.stringify(o)}\n`).replace(
    /[<>&\u2028\u2029]/g,
    c => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
