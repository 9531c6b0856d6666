/**
 * Whether `lengthBytes` from `offset` on lie within a file of `sizeBytes`. 64-bit values out of an image are compared
 * here, as bigint, before anybody turns them into a number.
 */
export function isInside(offset: bigint, lengthBytes: bigint, sizeBytes: number): boolean {
  return offset >= 0n && lengthBytes >= 0n && offset + lengthBytes <= BigInt(sizeBytes);
}

/** Whether the value is 1, 2, 4, 8 and so on. */
export function isPowerOfTwo(value: number | bigint): boolean {
  const wide = BigInt(value);
  return wide > 0n && (wide & (wide - 1n)) === 0n;
}

/** `dividend / divisor`, rounded up; both are not negative and the divisor is not zero. */
export function ceilDivide(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
