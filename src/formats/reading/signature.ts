/** Whether `bytes` hold `expected`, one character a byte, at `offset`. False where they end before. */
export function hasAt(bytes: Uint8Array, offset: number, expected: string): boolean {
  if (offset < 0 || offset + expected.length > bytes.length) return false;
  for (let index = 0; index < expected.length; index += 1) {
    if (bytes[offset + index] !== expected.charCodeAt(index)) return false;
  }
  return true;
}

/** Whether `bytes` begin with one of `beginnings`, one character a byte. */
export function beginsWith(bytes: Uint8Array, ...beginnings: readonly string[]): boolean {
  return beginnings.some((beginning) => hasAt(bytes, 0, beginning));
}
