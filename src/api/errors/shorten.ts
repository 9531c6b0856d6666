/** The longest message, in UTF-16 units, that an error carries. */
export const messageLimit = 600;

/** The longest text, in UTF-16 units, of any one entry in an error's details. */
export const entryTextLimit = 240;

/**
 * At most `limit` units of `text`, with `…` where it was cut: enough to be understood, and no echo of a hostile request.
 * The result is well-formed Unicode, since a lone surrogate (sent so, or half of a pair that was cut) cannot be written
 * into a header.
 */
export function shorten(text: string, limit: number): string {
  return (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`).toWellFormed();
}
