import { escapeText } from './escape-text.ts';

/** A name and what to show beside it; `undefined` and the empty text are left out, a list takes a line for each of its items. */
export type Field = readonly [name: string, value: string | readonly string[] | undefined];

/** Lines of a page about one thing: names on the left, escaped values on the right. */
export function formatFields(fields: readonly Field[]): readonly string[] {
  const shown = fields.flatMap(([name, value]) => {
    const values = typeof value === 'string' ? [value] : (value ?? []);
    return values.filter((text) => text !== '').map((text, index) => [index === 0 ? name : '', text] as const);
  });
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, text]) => `${name.padEnd(width)}  ${escapeText(text)}`);
}

/** A map of the API as a list of `key=value`, by key. */
export function formatPairs(pairs: Readonly<Record<string, string>>): readonly string[] {
  return Object.keys(pairs).sort().map((key) => `${key}=${pairs[key] ?? ''}`);
}
