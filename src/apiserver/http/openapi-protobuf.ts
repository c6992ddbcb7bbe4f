// The version 2 document in the protobuf of github.com/google/gnostic-models v0.7 (openapiv2/OpenAPIv2.proto): all that kubectl before
// v1.29 takes. It looks there for what the paths' PATCH may be asked, and finds kinds by the definitions' names; the JSON form has the rest.
import { concat, stringToBytes } from '../../sim/bytes.ts';
import type { Json } from '../json.ts';

export const OPENAPI_PROTOBUF = 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf';

/** Also the way that clients write the same type. */
export const takesOpenApiProtobuf = (accept: string): boolean => /com\.github\.proto-openapi\.spec\.v2[.@]v1\.0\+protobuf/.test(accept);

function varint(n: number): Uint8Array {
  const out: number[] = [];
  for (; n > 127; n = Math.floor(n / 128)) out.push((n & 127) | 128);
  return Uint8Array.from([...out, n]);
}

const field = (number: number, ...parts: Uint8Array[]): Uint8Array => {
  const data = concat(parts);
  return concat([varint(number * 8 + 2), varint(data.length), data]);
};
const text = (number: number, s: string): Uint8Array => field(number, stringToBytes(s));

export function openApiProtobuf(document: Json): Uint8Array {
  const { swagger, info, paths } = document;
  const items = Object.entries<Json>(paths).map(([path, item]) => field(2, text(1, path), field(2, pathItem(item))));
  return concat([text(1, swagger), field(2, text(1, info.title), text(2, info.version)), field(8, ...items)]);
}

/** Their numbers in a PathItem. */
const METHODS = { get: 2, put: 3, post: 4, delete: 5, patch: 8 };

const pathItem = (item: Json): Uint8Array =>
  concat(Object.entries(METHODS).flatMap(([method, number]) => (item[method] ? [field(number, operation(item[method]))] : [])));

const GVK = 'x-kubernetes-group-version-kind';

function operation(o: Json): Uint8Array {
  const { group, kind, version } = o[GVK];
  const query = o.parameters.map((p: Json) => {
    const own = concat([text(2, 'query'), text(4, p.name), text(6, p.type)]);
    // ParametersItem, Parameter, NonBodyParameter, QueryParameterSubSchema
    return field(8, field(1, field(2, field(3, own))));
  });
  const yaml = `group: ${JSON.stringify(group)}\nkind: ${kind}\nversion: ${version}\n`;
  const tags = o.tags.map((t: string) => text(1, t));
  return concat([...tags, text(5, o.operationId), ...query, field(13, text(1, GVK), field(2, text(2, yaml)))]);
}
