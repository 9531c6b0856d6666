import { filterFault, quoteForMessage, type FilterFault } from './filter-fault.ts';

/** The operators of the grammar; which of them a field takes is the field's affair. */
export type FilterOperator = '=' | '!=' | '<' | '<=' | '>' | '>=' | ':';

/** A word of the grammar. `at` is its index in the filter. */
export type FilterToken =
  | { readonly kind: 'word'; readonly at: number; readonly text: string }
  | { readonly kind: 'string'; readonly at: number; readonly text: string; readonly value: string }
  | { readonly kind: 'operator'; readonly at: number; readonly text: FilterOperator }
  | { readonly kind: 'dot'; readonly at: number; readonly text: '.' }
  | { readonly kind: 'end'; readonly at: number; readonly text: '' };

const shapes = {
  space: /[ \t\r\n]+/y,
  word: /[A-Za-z0-9_+-]+/y,
  operator: /!=|<=|>=|[=<>:]/y,
  // No two parts can take the same character, so that no text makes it try twice.
  string: /"((?:[^"\\]|\\["\\])*)"/y,
  // Inside a string that does not close, or whose escape is none: up to where it goes wrong.
  brokenString: /"(?:[^"\\]|\\["\\])*/y,
} as const;

/** The words of a filter, the last of which is `end`; or the first text that is none. */
export function tokenizeFilter(filter: string): readonly FilterToken[] | FilterFault {
  const tokens: FilterToken[] = [];
  let at = 0;
  const match: Match = (shape) => {
    shapes[shape].lastIndex = at;
    return shapes[shape].exec(filter);
  };
  while (at < filter.length) {
    const token = readToken(match, filter, at);
    if (token === undefined) {
      at += match('space')?.[0].length ?? 1;
      continue;
    }
    if (token.kind === 'fault') return token;
    tokens.push(token);
    at += token.text.length;
  }
  return [...tokens, { kind: 'end', at, text: '' }];
}

/** Matches a shape at the place that has been reached. */
type Match = (shape: keyof typeof shapes) => RegExpExecArray | null;

/** The word at `at`; undefined where there is space. */
function readToken(match: Match, filter: string, at: number): FilterToken | FilterFault | undefined {
  if (match('space') !== null) return undefined;
  const word = match('word');
  if (word !== null) return { kind: 'word', at, text: word[0] };
  const operator = match('operator');
  if (operator !== null) return { kind: 'operator', at, text: operator[0] as FilterOperator };
  if (filter[at] === '.') return { kind: 'dot', at, text: '.' };
  const string = match('string');
  if (string !== null) return { kind: 'string', at, text: string[0], value: (string[1] ?? '').replaceAll(/\\(["\\])/g, '$1') };
  const broken = match('brokenString');
  if (broken === null) {
    const found = String.fromCodePoint(filter.codePointAt(at) ?? 0);
    return filterFault(at, `expected a field, an operator, an operand or AND, found ${quoteForMessage(found)}`);
  }
  const end = at + broken[0].length;
  if (end < filter.length - 1) return filterFault(end, 'expected \\" or \\\\: there are no other escapes');
  return filterFault(at, 'expected a closing " for the text that begins here');
}
