import { crc32 } from 'node:zlib';
import type { ByteReader } from '../formats/reading/byte-reader.ts';
import { refuse } from '../formats/refuse.ts';

const fixedBytes = 10;
/** Most headers are shorter; the extra field alone may take 64 KiB, and names have no bound of their own. */
const windows = [1024, 192 * 1024] as const;
const flags = { headerCrc: 2, extra: 4, name: 8, comment: 16, reserved: 0xe0 } as const;

/**
 * Where the deflated data of the gzip member at `offset` begin (RFC 1952, 2.3). Refuses a header that is cut off, longer than
 * 192 KiB, or of something that the standard reserves.
 */
export function gzipDataOffset(file: ByteReader, offset: number): number {
  for (const windowBytes of windows) {
    const header = file.read(offset, windowBytes);
    if (header.length < fixedBytes) return truncated(offset, header.length);
    const length = headerLength(header, offset);
    if (length !== undefined) return offset + length;
    if (header.length < windowBytes) return truncated(offset, header.length);
  }
  return refuse('compressed.corrupt', `The gzip header at ${offset} is longer than ${windows[1]} bytes.`, { offset, value: windows[1] });
}

/** Undefined: the header does not end within these bytes. */
function headerLength(header: Uint8Array, offset: number): number | undefined {
  const [first, second, method, found = 0] = header;
  if (first !== 0x1f || second !== 0x8b || method !== 8 || found & flags.reserved) {
    const value = Buffer.from(header.subarray(0, 4)).toString('hex');
    refuse('compressed.corrupt', `The bytes ${value} at ${offset} are no gzip header.`, { offset, value });
  }
  let length = fixedBytes;
  if (found & flags.extra) length += 2 + ((header[length] ?? 0) | ((header[length + 1] ?? 0) << 8));
  for (const flag of [flags.name, flags.comment]) {
    if (!(found & flag)) continue;
    const end = header.indexOf(0, length);
    if (end < 0 || length > header.length) return undefined;
    length = end + 1;
  }
  if (!(found & flags.headerCrc)) return length <= header.length ? length : undefined;
  if (length + 2 > header.length) return undefined;
  const stated = (header[length] ?? 0) | ((header[length + 1] ?? 0) << 8);
  if (stated === (crc32(header.subarray(0, length)) & 0xffff)) return length + 2;
  return refuse('compressed.corrupt', `The check sum of the gzip header at ${offset} is wrong.`, { offset: offset + length, value: stated });
}

function truncated(start: number, headerBytes: number): never {
  const offset = start + headerBytes;
  return refuse('compressed.truncated', `The content ends after ${offset} bytes, in a gzip header.`, { offset, value: `${headerBytes} bytes of a header` });
}
