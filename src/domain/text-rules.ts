/** One field that is not as it must be. */
export interface FieldFault {
  /** Path in the message, such as `image.name`. */
  readonly field: string;
  /** What is wrong, and what is allowed. */
  readonly description: string;
}

/** Control characters, and halves of surrogate pairs, which no UTF-8 can hold. */
const unprintable = /[\p{Cc}\p{Cs}]/u;

/** Faults of a text: too short, too long (in UTF-16 code units), or with control characters. */
export function checkText(field: string, text: string, shortest: number, longest: number): FieldFault[] {
  if (text.length < shortest) return [{ field, description: shortest === 1 ? 'must not be empty' : `must have at least ${shortest} characters` }];
  if (text.length > longest) return [{ field, description: `has ${text.length} characters; at most ${longest} are allowed` }];
  if (unprintable.test(text)) return [{ field, description: 'must not contain control characters' }];
  return [];
}

/** A fault where there are more than `most` entries: the entries themselves are then not looked at. */
export function checkCount(field: string, count: number, most: number): FieldFault[] {
  return count > most ? [{ field, description: `has ${count} entries; at most ${most} are allowed` }] : [];
}
