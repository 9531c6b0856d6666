import type { DescField, DescMessage } from '@bufbuild/protobuf';

import type { FieldViolation } from '../api-error.ts';

/**
 * Finds words in a request's JSON that their enum does not have, each with its path in the request. The JSON parser
 * names only the enum, and a spec has several fields of the same one.
 */
export function unknownEnumNames(message: DescMessage, json: unknown, path = ''): readonly FieldViolation[] {
  if (!isObject(json)) return [];
  return message.fields.flatMap((field) => {
    const value = json[field.jsonName] ?? json[field.name];
    if (value === undefined || field.fieldKind === 'map') return [];
    const at = `${path}${field.name}`;
    return Array.isArray(value)
      ? value.flatMap((item: unknown, index) => inValue(field, item, `${at}[${index}]`))
      : inValue(field, value, at);
  });
}

function inValue({ enum: described, message }: DescField, value: unknown, path: string): readonly FieldViolation[] {
  if (message !== undefined) return unknownEnumNames(message, value, `${path}.`);
  if (described === undefined || typeof value !== 'string' || described.values.some(({ name }) => name === value)) return [];
  const names = described.values.filter(({ number }) => number !== 0).map(({ name }) => name);
  return [{ field: path, description: `is no value of ${described.typeName}; it has ${names.join(', ')}` }];
}

const isObject = (json: unknown): json is Readonly<Record<string, unknown>> => typeof json === 'object' && json !== null;
