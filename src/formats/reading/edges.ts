import type { ByteReader } from './byte-reader.ts';

/**
 * So many first bytes are looked at while the rest still streams: up to the end of the second VHDX region table, and
 * with that past the ISO 9660 descriptors (32 KiB) and the btrfs super block (64 KiB).
 */
export const headBytes = 320 * 1024;

/** So many last bytes are looked at: one sector, where VHD and DMG have their footers. */
export const tailBytes = 512;

/**
 * The two ends of the content, which is all that recognition looks at. While the content streams and is longer than
 * `head`, `tail` is empty and `sizeBytes` is undefined.
 */
export interface Edges {
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
  readonly sizeBytes: number | undefined;
}

/** The edges of stored bytes. */
export function edgesOf(file: ByteReader): Edges {
  const { sizeBytes } = file;
  const tailLength = Math.min(tailBytes, sizeBytes);
  return {
    head: file.read(0, Math.min(headBytes, sizeBytes)),
    tail: file.read(sizeBytes - tailLength, tailLength),
    sizeBytes,
  };
}

/** The edges of content of which only the beginning has come. A head shorter than `headBytes` is the whole content. */
export function edgesOfHead(head: Uint8Array): Edges {
  if (head.length >= headBytes) return { head: head.subarray(0, headBytes), tail: new Uint8Array(0), sizeBytes: undefined };
  return { head, tail: head.subarray(Math.max(0, head.length - tailBytes)), sizeBytes: head.length };
}
