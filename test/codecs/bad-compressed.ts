import { crc32, gzipSync, zstdCompressSync } from 'node:zlib';

import type { ReasonName } from '../../src/domain/failures.ts';
import type { CheckName } from '../../src/formats/check-table.ts';
import type { Wrapper } from '../../src/formats/wrapper.ts';
import { buildOva } from '../archives/build-ova.ts';
import { buildRaw, mbr } from '../formats/build/raw.ts';
import { changed, u32le, u8 } from '../formats/build/change.ts';

/** Wrapped content that must be refused, by which check, and with which reason. Limits: 64 MiB, a ratio of 2000. */
export interface BadCompressed {
  readonly check: CheckName;
  readonly reason: ReasonName;
  readonly name: string;
  readonly wrapper: Wrapper;
  readonly build: () => Buffer;
}

const disk = buildRaw(mbr);
const bad = (check: CheckName, reason: ReasonName, name: string, wrapper: Wrapper, build: () => Buffer): BadCompressed =>
  ({ check, reason, name, wrapper, build });

/** Every check `compressed.…` has one at least. */
export const badCompressed: readonly BadCompressed[] = [
  bad('compressed.corrupt', 'IMAGE_CORRUPT', 'gzip with a wrong CRC-32', 'gzip', () => changed(gzipSync(disk), u32le(gzipSync(disk).length - 8, 0))),
  bad('compressed.corrupt', 'IMAGE_CORRUPT', 'gzip with a wrong length', 'gzip', () => changed(gzipSync(disk), u32le(gzipSync(disk).length - 4, 1))),
  bad('compressed.corrupt', 'IMAGE_CORRUPT', 'gzip with a reserved flag', 'gzip', () => changed(gzipSync(disk), u8(3, 0x20))),
  bad('compressed.corrupt', 'IMAGE_CORRUPT', 'gzip whose second member is of another method', 'gzip', () => Buffer.concat([gzipSync(disk), changed(gzipSync(disk), u8(2, 7))])),
  bad('compressed.corrupt', 'IMAGE_CORRUPT', 'zstd with a reserved block', 'zstd', () => Buffer.concat([zstdHeader(0x00), Buffer.from([0x07, 0, 0])])),
  bad('compressed.truncated', 'IMAGE_CORRUPT', 'gzip without its trailer', 'gzip', () => gzipSync(disk).subarray(0, -8)),
  bad('compressed.truncated', 'IMAGE_CORRUPT', 'zstd without its last byte', 'zstd', () => zstdCompressSync(disk).subarray(0, -1)),
  bad('compressed.truncated', 'IMAGE_CORRUPT', 'zstd with a skippable frame of 4 GiB', 'zstd', () =>
    Buffer.concat([zstdCompressSync(disk), Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0xff, 0xff, 0xff, 0xff])])),
  bad('compressed.trailing_data', 'IMAGE_CORRUPT', 'gzip with a qcow2 behind it', 'gzip', () => Buffer.concat([gzipSync(disk), Buffer.from('QFI\xfb\0\0\0\x03', 'latin1')])),
  bad('compressed.trailing_data', 'IMAGE_CORRUPT', 'zstd with a gzip behind it', 'zstd', () => Buffer.concat([zstdCompressSync(disk), gzipSync(disk)])),
  bad('compressed.unsupported', 'FORMAT_UNSUPPORTED', 'zstd that needs a dictionary', 'zstd', () => Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x01, 0x58, 0x2a, 1, 0, 0])),
  bad('compressed.memory', 'DECOMPRESSION_LIMIT', 'zstd with a window of 2 GiB', 'zstd', () => Buffer.concat([zstdHeader(21 << 3), Buffer.from([1, 0, 0])])),
  bad('compressed.memory', 'DECOMPRESSION_LIMIT', 'zstd with a window of 3.75 TiB', 'zstd', () => Buffer.concat([zstdHeader(0xff), Buffer.from([1, 0, 0])])),
  bad('compressed.memory', 'DECOMPRESSION_LIMIT', 'zstd in one segment of 2^63 bytes', 'zstd', () =>
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 0, 0])),
  bad('compressed.memory', 'DECOMPRESSION_LIMIT', 'xz with a dictionary of 2 GiB', 'xz', () => xzWithDictionary(38)),
  bad('compressed.memory', 'DECOMPRESSION_LIMIT', 'xz with a dictionary of 4 GiB', 'xz', () => xzWithDictionary(40)),
  bad('compressed.too_large', 'DECOMPRESSION_LIMIT', '65 MiB of zeros in gzip', 'gzip', () => gzipSync(Buffer.alloc(65 << 20))),
  bad('compressed.too_large', 'DECOMPRESSION_LIMIT', '10 GiB of zeros in zstd', 'zstd', () => zstdZeros(10 * 2 ** 30)),
  bad('compressed.nested', 'DECOMPRESSION_LIMIT', 'gzip in gzip', 'gzip', () => gzipSync(gzipSync(disk))),
  bad('compressed.nested', 'DECOMPRESSION_LIMIT', 'zstd in gzip', 'gzip', () => gzipSync(zstdCompressSync(disk))),
  bad('compressed.nested', 'DECOMPRESSION_LIMIT', 'an OVA in gzip', 'gzip', () => gzipSync(buildOva({ disk }))),
  bad('compressed.nested', 'DECOMPRESSION_LIMIT', 'an OVA whose disk is gzip and not said to be', 'ova', () => buildOva({ disk: gzipSync(disk) })),
];

/** The beginning of a frame with this window descriptor (RFC 8878, 3.1.1.1.2). */
function zstdHeader(windowDescriptor: number): Buffer {
  return Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, windowDescriptor]);
}

/** A frame of blocks that each say "128 KiB of zeros" in 4 bytes. */
export function zstdZeros(sizeBytes: number): Buffer {
  const blockBytes = 128 * 1024;
  const count = sizeBytes / blockBytes;
  const blocks = Buffer.alloc(4 * count);
  for (let index = 0; index < count; index += 1) {
    const isLast = index === count - 1 ? 1 : 0;
    blocks.writeUInt32LE((blockBytes << 3) | (1 << 1) | isLast, 4 * index);
  }
  return Buffer.concat([zstdHeader(10 << 3), blocks]);
}

/** A stream whose first block asks for a dictionary (the .xz file format 1.2, 5.3.1). */
function xzWithDictionary(bits: number): Buffer {
  const flags = Buffer.from([0, 1]);
  const block = Buffer.from([2, 0, 0x21, 1, bits, 0, 0, 0]);
  return Buffer.concat([Buffer.from('\xfd7zXZ\0', 'latin1'), flags, sum(flags), block, sum(block), Buffer.alloc(64)]);
}

function sum(bytes: Buffer): Buffer {
  return changed(Buffer.alloc(4), u32le(0, crc32(bytes)));
}
