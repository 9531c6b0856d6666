import type { Duration } from '../../gen/google/protobuf/duration.ts';
import { formatTime } from './format-time.ts';

/** Fields that are maps of the API: their keys are data and their values are kept even where they are empty. */
const MAPS: ReadonlySet<string> = new Set(['labels', 'properties', 'metadata', 'facts']);

/** Fields whose value is an enum, which is left out where it is the zero value. */
const ENUMS: ReadonlySet<string> = new Set(['state', 'format', 'sourceFormat', 'storeFormat', 'compression', 'reason', 'depth']);

/** Fields whose value is a google.protobuf.Duration. */
const DURATIONS: ReadonlySet<string> = new Set(['ttl', 'duration']);

type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * A message of the API in protobuf's JSON mapping (https://protobuf.dev/programming-guides/json/): lowerCamelCase names,
 * 64-bit numbers as strings, enums as names, bytes in base64, times in RFC 3339, fields with their default value left out;
 * the same as the Connect door sends. The generated types carry no schema, so maps, enums and durations go by field name; a
 * test holds the three sets against the protos.
 */
export function toJson(message: object): { [key: string]: Json } {
  const json: { [key: string]: Json } = {};
  for (const [name, value] of Object.entries(message) as [string, unknown][]) {
    if (isOneof(value)) json[value.$case] = valueToJson(value.$case, value.value);
    else if (!isDefault(name, value)) json[name] = valueToJson(name, value);
  }
  return json;
}

function valueToJson(name: string, value: unknown): Json {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Date) return formatTime(value);
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  if (Array.isArray(value)) return value.map((item) => valueToJson(name, item));
  if (typeof value !== 'object' || value === null) return null;
  if (MAPS.has(name)) return { ...(value as Record<string, string>) };
  return DURATIONS.has(name) ? durationToJson(value as Duration) : toJson(value);
}

function isOneof(value: unknown): value is { readonly $case: string; readonly value: unknown } {
  return typeof value === 'object' && value !== null && '$case' in value;
}

function isDefault(name: string, value: unknown): boolean {
  if (value === undefined || value === '' || value === 0 || value === 0n || value === false) return true;
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0;
  if (MAPS.has(name)) return Object.keys(value as object).length === 0;
  return ENUMS.has(name) && typeof value === 'string' && value.endsWith('_UNSPECIFIED');
}

/** Seconds with 0, 3, 6 or 9 digits after the point. */
function durationToJson({ seconds, nanos }: Duration): string {
  const sign = seconds < 0n || nanos < 0 ? '-' : '';
  const digits = String(Math.abs(nanos)).padStart(9, '0').replace(/(?:000)+$/, '');
  return `${sign}${String(seconds).replace('-', '')}${digits === '' ? '' : `.${digits}`}s`;
}
