/** At most so many characters of an image's own text are quoted in a message or kept as a fact. */
export const quoteLimit = 80;

/**
 * Text out of an image, fit to be quoted: printable ASCII, every other character a `?`, trimmed, at most `quoteLimit`
 * characters. Escape sequences and line breaks in an image must not reach terminals and logs.
 */
export function printable(text: string): string {
  const safe = text.slice(0, quoteLimit).replaceAll(/[^ -~]/g, '?').trim();
  return text.length > quoteLimit ? `${safe}...` : safe;
}
