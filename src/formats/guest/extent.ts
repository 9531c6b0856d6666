/** How a compressed piece is compressed: raw deflate (RFC 1951), deflate in zlib's frame (RFC 1950), or zstd (RFC 8878). */
export type Codec = 'deflate' | 'zlib' | 'zstd';

/**
 * A piece of the guest's disk. The extents of a disk follow each other without gap or overlap, from its first byte to its
 * last; `lengthBytes` is above zero and counts guest bytes.
 *
 * `zero`: nothing is stored, the guest reads zeros. `stored`: the bytes stand in the file at `offset`, wholly inside it.
 * `compressed`: at most `storedBytes` from `offset` on, wholly inside the file, decode to `lengthBytes`; what follows the end
 * of the compressed data there is not looked at.
 */
export type Extent =
  | { readonly kind: 'zero'; readonly lengthBytes: number }
  | { readonly kind: 'stored'; readonly lengthBytes: number; readonly offset: number }
  | { readonly kind: 'compressed'; readonly lengthBytes: number; readonly offset: number; readonly storedBytes: number; readonly codec: Codec };
