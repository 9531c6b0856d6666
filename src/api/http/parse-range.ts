/** The bytes that a request asks for; `end` is exclusive. */
export type Range =
  | { readonly kind: 'all' }
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

const all: Range = { kind: 'all' };
const unsatisfiable: Range = { kind: 'unsatisfiable' };

/**
 * Reads a Range header for `sizeBytes` bytes: `bytes=a-b`, `bytes=a-` and `bytes=-n`. A header that is malformed, in
 * another unit or of several ranges is as if it were not there, which RFC 9110 §14.2 allows and makes every client work.
 */
export function parseRange(header: string | undefined, sizeBytes: number): Range {
  const [, first, last] = /^bytes=\s*(\d*)-(\d*)\s*$/i.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return all;
  if (first === '') {
    const suffixBytes = Math.min(Number(last), sizeBytes);
    return suffixBytes === 0 ? unsatisfiable : { kind: 'part', start: sizeBytes - suffixBytes, end: sizeBytes };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return all;
  if (start >= sizeBytes) return unsatisfiable;
  return { kind: 'part', start, end: last === '' ? sizeBytes : Math.min(Number(last) + 1, sizeBytes) };
}
