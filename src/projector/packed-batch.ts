/** Byte strings in one buffer, which crosses to another thread without being copied. */
export interface PackedBatch {
  readonly bytes: ArrayBuffer;
  readonly lengths: readonly number[];
}

export function packBatch(batch: readonly Uint8Array[]): PackedBatch {
  const bytes = new Uint8Array(batch.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of batch) {
    bytes.set(part, at);
    at += part.length;
  }
  return { bytes: bytes.buffer, lengths: batch.map(({ length }) => length) };
}

export function unpackBatch({ bytes, lengths }: PackedBatch): Buffer[] {
  let at = 0;
  return lengths.map((length) => {
    at += length;
    return Buffer.from(bytes, at - length, length);
  });
}
