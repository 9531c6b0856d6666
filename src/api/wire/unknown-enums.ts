import type { DescField, DescMessage } from '@bufbuild/protobuf';

import type { FieldViolation } from '../api-error.ts';

/** The word that ts-proto decodes an enum's number to where the enum has no value of that number. */
const unrecognized = 'UNRECOGNIZED';

type Fields = Readonly<Record<string, unknown>>;
type Search = (message: Fields, path: string, found: FieldViolation[]) => void;

/**
 * Makes the search for enum numbers that this server does not know in decoded requests of type `message`; `undefined`
 * for a type that holds no enum. A number of a newer contract would otherwise be taken for "not stated".
 *
 * Supports what requests of this API hold: messages, oneofs, lists and enums; no enum in a map, no recursive type.
 */
export function unknownEnumSearch(message: DescMessage): ((request: unknown) => readonly FieldViolation[]) | undefined {
  const search = messageSearch(message);
  if (search === undefined) return undefined;
  return (request) => {
    const found: FieldViolation[] = [];
    search(request as Fields, '', found);
    return found;
  };
}

function messageSearch(message: DescMessage): Search | undefined {
  const searches = message.fields.flatMap((field) => fieldSearch(field) ?? []);
  if (searches.length === 0) return undefined;
  return (fields, path, found) => {
    for (const search of searches) search(fields, path, found);
  };
}

function fieldSearch(field: DescField): Search | undefined {
  const inValue = valueSearch(field);
  if (inValue === undefined) return undefined;
  return (fields, path, found) => {
    const value = valueOf(field, fields);
    if (value === undefined) return;
    if (Array.isArray(value)) value.forEach((item, index) => inValue(item, `${path}${field.name}[${index}]`, found));
    else inValue(value, `${path}${field.name}`, found);
  };
}

function valueSearch(field: DescField): ((value: unknown, path: string, found: FieldViolation[]) => void) | undefined {
  if (field.enum !== undefined && field.fieldKind !== 'map') {
    const { typeName } = field.enum;
    return (value, path, found) => {
      if (value === unrecognized) found.push({ field: path, description: `is no value of ${typeName} that this server knows` });
    };
  }
  const inMessage = field.message === undefined || field.fieldKind === 'map' ? undefined : messageSearch(field.message);
  return inMessage && ((value, path, found) => inMessage(value as Fields, `${path}.`, found));
}

function valueOf(field: DescField, fields: Fields): unknown {
  if (field.oneof === undefined) return fields[field.localName];
  const chosen = fields[field.oneof.localName] as { readonly $case: string; readonly value: unknown } | undefined;
  return chosen?.$case === field.localName ? chosen.value : undefined;
}
