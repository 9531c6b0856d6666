import type { FieldViolation } from '../api-error.ts';
import { quoteForMessage } from './filter-fault.ts';

/** What rows are ordered by, as a page token keeps it. */
export type OrderValue = string | bigint;

/** A field that a list may be ordered by. */
export interface OrderField<R> {
  /** SQL over the projection's columns that is never NULL; never a caller's text. */
  readonly expression: string;
  readonly kind: 'text' | 'integer';
  /** The value of `expression` for this resource. */
  read(resource: R): OrderValue;
}

/** The fields by the names that callers use. */
export type OrderFields<R> = ReadonlyMap<string, OrderField<R>>;

/** An order that was understood. Ties are broken by id in the same direction, so that it is total. */
export interface ListOrder<R> {
  readonly name: string;
  readonly field: OrderField<R>;
  readonly descending: boolean;
}

/** What an `order_by` means, or what is wrong with it. */
export type ParsedOrder<R> =
  | { readonly ok: true; readonly order: ListOrder<R> }
  | { readonly ok: false; readonly violations: readonly FieldViolation[] };

/** Every list is ordered so where the caller does not say. */
export const defaultOrderBy = 'create_time desc';

/** No `order_by` that means something is longer. */
const orderByLengthLimit = 200;

/** Parses `order_by` (AIP-132): one field, and ` desc` for the reverse. Spaces more than needed mean nothing. */
export function parseOrder<R>(orderBy: string, fields: OrderFields<R>): ParsedOrder<R> {
  const words = orderBy.length > orderByLengthLimit ? [] : orderBy.split(' ').filter((word) => word !== '');
  const [name = '', direction, ...more] = words.length === 0 && orderBy.length <= orderByLengthLimit ? defaultOrderBy.split(' ') : words;
  const field = fields.get(name);
  if (field === undefined || (direction !== undefined && direction !== 'desc') || more.length > 0) {
    const description = `Expected one of ${[...fields.keys()].join(', ')}, with " desc" for the reverse, found ${quoteForMessage(orderBy)}.`;
    return { ok: false, violations: [{ field: 'order_by', description }] };
  }
  return { ok: true, order: { name, field, descending: direction === 'desc' } };
}

/** The order as an ORDER BY clause. */
export function orderByClause<R>({ field, descending }: ListOrder<R>): string {
  const direction = descending ? 'DESC' : 'ASC';
  return `${field.expression} ${direction}, id ${direction}`;
}
