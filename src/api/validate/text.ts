import type { FieldViolation } from '../api-error.ts';

/** Control characters, and halves of surrogate pairs, which no UTF-8 can hold. */
const unprintable = /[\p{Cc}\p{Cs}]/u;

/** Violations of a text: too short, too long (in UTF-16 code units), or with control characters. */
export function checkText(field: string, text: string, shortest: number, longest: number): FieldViolation[] {
  if (text.length < shortest) return [{ field, description: shortest === 1 ? 'must not be empty' : `must have at least ${shortest} characters` }];
  if (text.length > longest) return [{ field, description: `has ${text.length} characters; at most ${longest} are allowed` }];
  if (unprintable.test(text)) return [{ field, description: 'must not contain control characters' }];
  return [];
}

/** A violation where there are more than `most` entries: the entries themselves are then not looked at. */
export function checkCount(field: string, count: number, most: number): FieldViolation[] {
  return count > most ? [{ field, description: `has ${count} entries; at most ${most} are allowed` }] : [];
}
