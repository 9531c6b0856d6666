/** Quotes a text for a filter of the API (AIP-160). */
export function quoteFilterText(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Joins conditions by AND, leaving out what is not asked for. */
export function joinFilter(conditions: readonly (string | undefined)[]): string {
  return conditions.filter((condition) => condition !== undefined && condition !== '').join(' AND ');
}
