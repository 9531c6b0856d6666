import {
  integerCondition, mapCondition, scalarCondition, setCondition, timeCondition, type Comparison, type FilterCondition,
} from './filter-condition.ts';
import { filterFault, quoteForMessage, type FilterFault } from './filter-fault.ts';
import type { FilterField } from './filter-field.ts';
import { parseTime } from './parse-time.ts';
import type { FilterToken } from './tokenize-filter.ts';

/** One condition as it was written: `name.key operator operand`. */
export interface WrittenCondition<R> {
  /** The name by which the caller called the field. */
  readonly name: string;
  readonly field: FilterField<R>;
  /** Given where, and only where, the field is a map. */
  readonly key: string;
  readonly operator: Extract<FilterToken, { kind: 'operator' }>;
  readonly operand: FilterToken;
}

/** The largest number that the projections can hold. */
const integerLimit = 2n ** 63n - 1n;

/** What a written condition means, or why it means nothing for a field of this kind. */
export function compileCondition<R>(written: WrittenCondition<R>): FilterCondition<R> | FilterFault {
  const { field, operand } = written;
  const comparison = comparisonOf(written);
  if (typeof comparison === 'object') return comparison;
  switch (field.kind) {
    case 'name': {
      const name = operand.kind === 'string' ? operand.value : operand.text;
      if (field.names.includes(name)) return scalarCondition(field, comparison, name);
      return expected(operand, `one of ${field.names.join(', ')}`);
    }
    case 'integer': {
      const number = operand.kind === 'word' && /^\d{1,19}$/.test(operand.text) ? BigInt(operand.text) : undefined;
      if (number !== undefined && number <= integerLimit) return integerCondition(field, comparison, number);
      return expected(operand, `a whole number from 0 to ${integerLimit}, without quotes`);
    }
    case 'time': {
      const timeMs = operand.kind === 'string' ? parseTime(operand.value) : undefined;
      if (timeMs !== undefined) return timeCondition(field, comparison, timeMs);
      return expected(operand, 'a time in quotes, such as "2026-01-31T12:00:00Z"');
    }
    case 'text':
      return operand.kind === 'string' ? scalarCondition(field, comparison, operand.value) : expectedText(operand);
    case 'map':
      return operand.kind === 'string' ? mapCondition(field, written.key, comparison, operand.value) : expectedText(operand);
    case 'set':
      return operand.kind === 'string' ? setCondition(field, operand.value) : expectedText(operand);
    default:
      return field satisfies never;
  }
}

/** The fault of a token that is not what must stand in its place. */
export function expected(token: FilterToken, what: string): FilterFault {
  return filterFault(token.at, `expected ${what}, found ${token.kind === 'end' ? 'the end' : quoteForMessage(token.text)}`);
}

function expectedText(operand: FilterToken): FilterFault {
  return expected(operand, 'a text in double quotes');
}

/** The operator, where the field takes it. A set takes only `:`, which is no comparison; `=` stands in for it. */
function comparisonOf<R>({ name, field, operator }: WrittenCondition<R>): Comparison | FilterFault {
  const comparison = operator.text;
  if (field.kind === 'set') return comparison === ':' ? '=' : expected(operator, `: (has) after ${name}`);
  const isTaken = comparison === '=' || comparison === '!=' || (comparison !== ':' && field.kind !== 'name');
  return isTaken ? comparison : expected(operator, `one of ${operatorsOf(field)} after ${name}`);
}

/** The operators that a field takes, for a message. */
export function operatorsOf<R>(field: FilterField<R>): string {
  if (field.kind === 'set') return ':';
  return field.kind === 'name' ? '= !=' : '= != < <= > >=';
}
