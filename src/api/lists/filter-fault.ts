/** What is wrong with a filter, and where. */
export interface FilterFault {
  readonly kind: 'fault';
  /** Index of the first UTF-16 unit that is wrong; the length of the filter means its end. */
  readonly at: number;
  /** A sentence without its first capital and full stop: `expected …, found …`. */
  readonly problem: string;
}

/** A fault at `at`. */
export function filterFault(at: number, problem: string): FilterFault {
  return { kind: 'fault', at, problem };
}

/** At most so many characters of a caller's text are repeated to it. */
const quoteLimit = 40;

/** A caller's text as a message repeats it: in quotes, without control characters, cut at 40 characters. */
export function quoteForMessage(text: string): string {
  const characters = Array.from(text.slice(0, 2 * quoteLimit + 1));
  return JSON.stringify(characters.length <= quoteLimit ? text : `${characters.slice(0, quoteLimit).join('')}…`);
}
