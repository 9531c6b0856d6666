import { compileCondition, expected, operatorsOf } from './compile-condition.ts';
import type { FilterCondition } from './filter-condition.ts';
import { filterFault, type FilterFault } from './filter-fault.ts';
import type { FilterFields } from './filter-field.ts';
import { tokenizeFilter, type FilterToken } from './tokenize-filter.ts';
import type { FieldViolation } from '../api-error.ts';

/** At most so many characters (not UTF-16 units) in a filter. */
export const filterLengthLimit = 2_000;

/** At most so many conditions in a filter: each may cost a subquery. */
export const filterConditionLimit = 32;

/** What a filter means, or what is wrong with it. */
export type ParsedFilter<R> =
  | { readonly ok: true; readonly filter: FilterCondition<R> }
  | { readonly ok: false; readonly violations: readonly FieldViolation[] };

/**
 * Parses the subset of AIP-160 that `docs/reference/filters.md` describes:
 *
 *     filter    = [ condition { "AND" condition } ]
 *     condition = field [ "." key ] operator operand
 *     key       = word | string
 *     operator  = "=" | "!=" | "<" | "<=" | ">" | ">=" | ":"
 *     operand   = word | string
 *
 * An empty filter matches everything. Nothing of the caller's text is in the SQL; it is all in the parameters.
 */
export function parseFilter<R>(filter: string, fields: FilterFields<R>): ParsedFilter<R> {
  if (isTooLong(filter)) return refuse(`This has more than ${filterLengthLimit.toLocaleString('en')} characters. Send a shorter filter.`);
  const parsed = parseConditions(filter, fields);
  if ('kind' in parsed) {
    const character = Array.from(filter.slice(0, parsed.at)).length + 1;
    return refuse(`At character ${character}: ${parsed.problem}.`);
  }
  return { ok: true, filter: allOf(parsed) };
}

/** The condition that holds where all of them hold. */
export function allOf<R>(conditions: readonly FilterCondition<R>[]): FilterCondition<R> {
  return {
    where: conditions.length === 0 ? 'TRUE' : conditions.map(({ where }) => where).join(' AND '),
    parameters: conditions.flatMap(({ parameters }) => parameters),
    matches: (resource) => conditions.every((condition) => condition.matches(resource)),
    entry: conditions.find(({ entry }) => entry !== undefined)?.entry,
  };
}

function refuse<R>(description: string): ParsedFilter<R> {
  return { ok: false, violations: [{ field: 'filter', description }] };
}

function isTooLong(filter: string): boolean {
  return filter.length > 2 * filterLengthLimit || Array.from(filter).length > filterLengthLimit;
}

function parseConditions<R>(filter: string, fields: FilterFields<R>): readonly FilterCondition<R>[] | FilterFault {
  const tokens = tokenizeFilter(filter);
  if ('kind' in tokens) return tokens;
  const conditions: FilterCondition<R>[] = [];
  let next = 0;
  const take = (): FilterToken => tokens[next++] ?? { kind: 'end', at: filter.length, text: '' };
  if (tokens[0]?.kind === 'end') return conditions;
  for (;;) {
    const parsed = parseCondition(take, fields);
    if ('kind' in parsed) return parsed;
    conditions.push(parsed);
    const and = take();
    if (and.kind === 'end') return conditions;
    if (and.text !== 'AND') return expected(and, 'AND (conditions are joined by nothing else) or the end');
    if (conditions.length === filterConditionLimit) return filterFault(and.at, `expected at most ${filterConditionLimit} conditions`);
  }
}

function namesOf<R>(fields: FilterFields<R>): string {
  return [...fields].map(([name, { kind }]) => (kind === 'map' ? `${name}.KEY` : name)).join(', ');
}

function parseCondition<R>(take: () => FilterToken, fields: FilterFields<R>): FilterCondition<R> | FilterFault {
  const name = take();
  const field = name.kind === 'word' ? fields.get(name.text) : undefined;
  if (field === undefined) return expected(name, `one of the fields ${namesOf(fields)}`);
  let operator = take();
  let key = '';
  if (field.kind === 'map') {
    if (operator.kind !== 'dot') return expected(operator, `a dot and a key after ${name.text}, such as ${name.text}.env`);
    const written = take();
    if (written.kind !== 'word' && written.kind !== 'string') return expected(written, `a key after ${name.text}.`);
    key = written.kind === 'string' ? written.value : written.text;
    operator = take();
    if (operator.kind === 'dot') return expected(operator, `one of ${operatorsOf(field)}; a key with a dot needs quotes, such as ${name.text}."a.b"`);
  }
  if (operator.kind !== 'operator') return expected(operator, `one of ${operatorsOf(field)} after ${name.text}`);
  return compileCondition({ name: name.text, field, key, operator, operand: take() });
}
