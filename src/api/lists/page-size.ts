import type { FieldViolation } from '../api-error.ts';

/** The page size of callers that ask for none. */
export const defaultPageSize = 50;

/** No page is longer; whoever asks for more gets this many (AIP-158). */
export const pageSizeLimit = 1_000;

/** How many rows a page has, or what is wrong with the `page_size` asked for. */
export function parsePageSize(
  pageSize: number,
): { readonly ok: true; readonly size: number } | { readonly ok: false; readonly violations: readonly FieldViolation[] } {
  if (Number.isInteger(pageSize) && pageSize >= 0) return { ok: true, size: Math.min(pageSize || defaultPageSize, pageSizeLimit) };
  const description = `Expected 0 (for ${defaultPageSize}) or a number from 1 to ${pageSizeLimit.toLocaleString('en')}, found ${pageSize}.`;
  return { ok: false, violations: [{ field: 'page_size', description }] };
}
