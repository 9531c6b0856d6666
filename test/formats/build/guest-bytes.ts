import type { ByteReader } from '../../../src/formats/reading/byte-reader.ts';
import { decodeExtent } from '../../../src/formats/guest/decode-extent.ts';
import type { Extent } from '../../../src/formats/guest/extent.ts';

/** What the guest reads, put together from the extents; throws where they are not what the contract of `Extent` says. */
export function guestBytes(file: ByteReader, extents: Iterable<Extent>): Buffer {
  return Buffer.concat(Array.from(extents, (extent) => bytesOf(file, extent)));
}

function bytesOf(file: ByteReader, extent: Extent): Uint8Array {
  if (!Number.isSafeInteger(extent.lengthBytes) || extent.lengthBytes <= 0) throw new RangeError(JSON.stringify(extent));
  if (extent.kind === 'zero') return Buffer.alloc(extent.lengthBytes);
  const storedBytes = extent.kind === 'stored' ? extent.lengthBytes : extent.storedBytes;
  if (storedBytes <= 0 || extent.offset < 0 || extent.offset + storedBytes > file.sizeBytes) throw new RangeError(JSON.stringify(extent));
  return extent.kind === 'stored' ? file.read(extent.offset, storedBytes) : decodeExtent(file, extent);
}
