import type { SqlCondition } from '../../projector/sql-condition.ts';
import type { IntegerField, MapField, NameField, SetField, TextField, TimeField } from './filter-field.ts';

/**
 * A condition in both of its forms, which agree on every resource: SQL over the projection's columns, for lists, and a
 * predicate over the resource, for watches.
 */
export interface FilterCondition<R> extends SqlCondition {
  matches(resource: R): boolean;
  /** An entry of its map that a resource must have to match; undefined: it need not have any. */
  readonly entry?: MapEntry | undefined;
}

/** A key of a map and what stands there. */
export interface MapEntry {
  readonly key: string;
  readonly value: string;
}

/** An operator that compares. */
export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>=';

/** Compares a field that is never absent with an operand. */
export function scalarCondition<R>(
  field: NameField<R> | TextField<R>, comparison: Comparison, operand: string,
): FilterCondition<R> {
  return {
    where: `${field.column} ${comparison} ?`,
    parameters: [operand],
    matches: (resource) => holdsText(comparison, field.read(resource), operand),
  };
}

/** Compares a whole number; `operand` must fit a signed 64-bit integer. */
export function integerCondition<R>(field: IntegerField<R>, comparison: Comparison, operand: bigint): FilterCondition<R> {
  return {
    where: `${field.column} ${comparison} ?`,
    parameters: [operand],
    matches: (resource) => holds(comparison, compareNumbers(field.read(resource), operand)),
  };
}

/** Compares a time; an absent one differs from every time and is neither before nor after one. */
export function timeCondition<R>(field: TimeField<R>, comparison: Comparison, operandMs: number): FilterCondition<R> {
  return {
    where: comparison === '!=' ? `${field.column} IS NOT ?` : `${field.column} ${comparison} ?`,
    parameters: [operandMs],
    matches(resource) {
      const timeMs = field.read(resource)?.getTime();
      return timeMs === undefined ? comparison === '!=' : holds(comparison, compareNumbers(timeMs, operandMs));
    },
  };
}

/** Compares the value at one key; a missing one differs from every text and is neither before nor after one. */
export function mapCondition<R>(field: MapField<R>, key: string, comparison: Comparison, operand: string): FilterCondition<R> {
  // By json_each and not by a JSON path: a path has a syntax of its own for keys, a parameter has none.
  const some = (sqlComparison: Comparison): string =>
    `EXISTS (SELECT 1 FROM json_each(${field.column}) WHERE json_each.key = ? AND json_each.value ${sqlComparison} ?)`;
  return {
    where: comparison === '!=' ? `NOT ${some('=')}` : some(comparison),
    parameters: [key, operand],
    matches(resource) {
      const map = field.read(resource);
      const value = Object.hasOwn(map, key) ? map[key] : undefined;
      return value === undefined ? comparison === '!=' : holdsText(comparison, value, operand);
    },
    entry: comparison === '=' ? { key, value: operand } : undefined,
  };
}

/** Whether a set has a member. */
export function setCondition<R>(field: SetField<R>, member: string): FilterCondition<R> {
  return {
    where: `EXISTS (SELECT 1 FROM json_each(${field.column}) WHERE json_each.value = ?)`,
    parameters: [member],
    matches: (resource) => field.read(resource).includes(member),
  };
}

function holds(comparison: Comparison, order: number): boolean {
  switch (comparison) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
    default:
      return comparison satisfies never;
  }
}

function compareNumbers<N extends number | bigint>(a: N, b: N): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** By UTF-8 bytes, as SQLite compares: JavaScript's own order of characters beyond U+FFFF is another. */
function holdsText(comparison: Comparison, a: string, b: string): boolean {
  if (comparison === '=') return a === b;
  if (comparison === '!=') return a !== b;
  return holds(comparison, a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b)));
}
