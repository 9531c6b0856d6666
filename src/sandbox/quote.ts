/** At most so many characters of what a program says are quoted. */
const quoteLimit = 200;

/** The last line that a program wrote to standard error, fit to be quoted: printable ASCII, every other character a `?`. */
export function quoteOf(errorTail: string): string {
  const line = errorTail.split(/[\r\n]/).map((text) => text.trim()).filter((text) => text !== '').at(-1) ?? 'it said nothing';
  return line.replaceAll(/[^ -~]/g, '?').slice(0, quoteLimit);
}
