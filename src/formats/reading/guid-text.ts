/** The 16 bytes of a GUID as Microsoft stores it (the first three parts little-endian), in lower case with hyphens. */
export function guidText(bytes: Uint8Array): string {
  const hex = Buffer.from(bytes).toString('hex');
  const swapped = [6, 4, 2, 0, 10, 8, 14, 12].map((at) => hex.slice(at, at + 2)).join('') + hex.slice(16);
  return [swapped.slice(0, 8), swapped.slice(8, 12), swapped.slice(12, 16), swapped.slice(16, 20), swapped.slice(20, 32)].join('-');
}
