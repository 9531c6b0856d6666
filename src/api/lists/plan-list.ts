import type { SqlCondition } from '../../projector/sql-condition.ts';
import type { FieldViolation } from '../api-error.ts';
import type { FilterFields } from './filter-field.ts';
import { orderByClause, parseOrder, type ListOrder, type OrderFields, type OrderValue } from './list-order.ts';
import { parsePageSize } from './page-size.ts';
import { decodePageToken, encodePageToken, type PageBinding, type PageKey } from './page-token.ts';
import { parseFilter } from './parse-filter.ts';

/** What a request for a page says; ListTasksRequest and ListImagesRequest fit. */
export interface ListRequest {
  readonly pageSize: number;
  readonly pageToken: string;
  readonly filter: string;
  readonly orderBy: string;
}

/** A kind of resource that can be listed. */
export interface ListResource<R> {
  /** The full name of the method, such as `lehr.v1.TaskService/ListTasks`: tokens of one list are foreign to another. */
  readonly method: string;
  readonly filterFields: FilterFields<R>;
  readonly orderFields: OrderFields<R>;
  /** SQL that holds for every row that may be listed at all. */
  readonly listed: string;
  idOf(resource: R): string;
}

/** One page: the rows to send and the token of the next page, empty at the end. */
export interface Page<R> {
  readonly rows: readonly R[];
  readonly nextPageToken: string;
}

/** How to read one page: a condition, an ORDER BY clause and a LIMIT over the projection's table. */
export interface ListPlan<R> extends SqlCondition {
  readonly orderBy: string;
  /** One more than the page holds: whether that row is there says whether another page follows. */
  readonly limit: number;
  /** Makes the page of the rows that were read, at most `limit`. */
  page(rows: readonly R[]): Page<R>;
}

/** A plan, or everything that is wrong with the request. */
export type PlannedList<R> =
  | { readonly ok: true; readonly plan: ListPlan<R> }
  | { readonly ok: false; readonly violations: readonly FieldViolation[] };

/**
 * Plans one page of `owner`'s resources. Pages are cut by the last row's key and not by an offset, so that rows that come and
 * go between two pages make no other row appear twice or never.
 */
export function planList<R>(resource: ListResource<R>, request: ListRequest, owner: string): PlannedList<R> {
  const filter = parseFilter(request.filter, resource.filterFields);
  const order = parseOrder(request.orderBy, resource.orderFields);
  const size = parsePageSize(request.pageSize);
  if (!filter.ok || !order.ok || !size.ok) {
    return { ok: false, violations: [filter, order, size].flatMap((part) => (part.ok ? [] : part.violations)) };
  }
  const { name, field, descending } = order.order;
  const binding = [resource.method, owner, request.filter, name, descending ? 'desc' : 'asc'];
  const after = afterToken(request.pageToken, binding, order.order);
  if (after === undefined) return { ok: false, violations: [foreignToken] };
  const { where, parameters } = filter.filter;
  return {
    ok: true,
    plan: {
      where: `owner = ? AND ${resource.listed} AND ${where} AND ${after.where}`,
      parameters: [owner, ...parameters, ...after.parameters],
      orderBy: orderByClause(order.order),
      limit: size.size + 1,
      page(rows) {
        const shown = rows.slice(0, size.size);
        const last = rows.length > size.size ? shown.at(-1) : undefined;
        const key = last === undefined ? undefined : { value: field.read(last).toString(), id: resource.idOf(last) };
        return { rows: shown, nextPageToken: key === undefined ? '' : encodePageToken(binding, key) };
      },
    },
  };
}

const foreignToken: FieldViolation = {
  field: 'page_token',
  description: 'The token is damaged, or of a list with another filter or order_by. Repeat the request of the page before with its next_page_token, or begin again without one.',
};

function afterToken<R>(token: string, binding: PageBinding, { field, descending }: ListOrder<R>): SqlCondition | undefined {
  if (token === '') return { where: 'TRUE', parameters: [] };
  const key = decodePageToken(binding, token);
  const value = key === undefined ? undefined : orderValueOf(key, field.kind);
  if (key === undefined || value === undefined) return undefined;
  return { where: `(${field.expression}, id) ${descending ? '<' : '>'} (?, ?)`, parameters: [value, key.id] };
}

/** The largest integer that can be a parameter. */
const integerLimit = 2n ** 63n - 1n;

function orderValueOf({ value }: PageKey, kind: 'text' | 'integer'): OrderValue | undefined {
  if (kind === 'text') return value;
  const number = /^\d{1,19}$/.test(value) ? BigInt(value) : undefined;
  return number !== undefined && number <= integerLimit ? number : undefined;
}
