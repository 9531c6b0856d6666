/** Quotes a text for a filter of the API (AIP-160). */
export function quoteFilterText(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Names an entry of a map field: `labels.env`, or `labels."a.b"` where the key is more than a word of the grammar. */
export function filterKey(map: string, key: string): string {
  return `${map}.${/^[A-Za-z0-9_+-]+$/.test(key) ? key : quoteFilterText(key)}`;
}

/** Joins conditions by AND, leaving out what is not asked for. */
export function joinFilter(conditions: readonly (string | undefined)[]): string {
  return conditions.filter((condition) => condition !== undefined && condition !== '').join(' AND ');
}
