/** The longest message, in UTF-16 units, that an error carries. */
export const messageLimit = 400;

/** The longest text, in UTF-16 units, of any one entry in an error's details. */
export const entryTextLimit = 240;

/**
 * What all violations of an error, and all its metadata, may each hold in UTF-16 units. Errors travel in HTTP/2 trailers,
 * of which common clients take 8 KiB gladly and refuse 16 KiB; with the message, in base64, and in letters of three bytes,
 * this stays below the second, and in plain text far below the first.
 */
export const entriesTextLimit = 1000;

/**
 * At most `limit` units of `text`, with `…` where it was cut: enough to be understood, and no echo of a hostile request.
 * The result is well-formed Unicode, since a lone surrogate (sent so, or half of a pair that was cut) cannot be written
 * into a header.
 */
export function shorten(text: string, limit: number): string {
  return (text.length <= limit ? text : `${text.slice(0, limit - 1)}…`).toWellFormed();
}

/** The first of `entries`, each shortened, that fit into `entriesTextLimit`; who repairs these sees the next ones. */
export function fittingEntries(entries: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  const fitting: (readonly [string, string])[] = [];
  let length = 0;
  for (const [name, text] of entries) {
    const entry = [shorten(name, entryTextLimit), shorten(text, entryTextLimit)] as const;
    length += entry[0].length + entry[1].length;
    if (length > entriesTextLimit) break;
    fitting.push(entry);
  }
  return fitting;
}
