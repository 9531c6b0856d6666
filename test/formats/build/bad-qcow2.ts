import type { ReasonName } from '../../../src/domain/failures.ts';
import type { CheckName } from '../../../src/formats/check-table.ts';
import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { text, u32be, u64be, u8 } from './change.ts';
import type { Change } from './change.ts';
import { buildQcow2, extension } from './qcow2.ts';

const qcow2 = (check: CheckName, reason: ReasonName, name: string, ...changes: readonly Change[]): BadImage =>
  bad(check, reason)(name, () => buildQcow2(3, ...changes));
const parts64k = 64 * 1024;

/** Unsafe and broken qcow2 images. */
export const badQcow2: readonly BadImage[] = [
  qcow2('qcow2.version', 'FORMAT_UNSUPPORTED', 'version 1, the old qcow', u32be(4, 1)),
  qcow2('qcow2.version', 'FORMAT_UNSUPPORTED', 'version 4', u32be(4, 4)),
  qcow2('qcow2.header', 'IMAGE_CORRUPT', 'a header that is too short', u32be(100, 96)),
  qcow2('qcow2.header', 'IMAGE_CORRUPT', 'a header longer than a cluster', u32be(100, 65544)),
  qcow2('qcow2.header', 'IMAGE_CORRUPT', 'zstd without its feature bit', u8(104, 1)),
  qcow2('qcow2.header', 'IMAGE_CORRUPT', 'the bit for a compression type that is zlib', u64be(72, 8n)),
  qcow2('qcow2.header_extensions', 'IMAGE_CORRUPT', 'an extension longer than the cluster', extension(112, 0x6803f857, ''), u32be(116, 0xffff_fff8)),
  qcow2('qcow2.header_extensions', 'IMAGE_CORRUPT', 'very many extensions', ...Array.from({ length: 40 }, (_, index) => extension(112 + index * 8, 7, ''))),
  qcow2('qcow2.backing_file', 'IMAGE_UNSAFE', 'a backing file', u64be(8, 512n), u32be(16, 11), text(512, '/etc/shadow')),
  qcow2('qcow2.backing_file', 'IMAGE_UNSAFE', 'a backing file far outside', u64be(8, 2n ** 63n), u32be(16, 1023)),
  qcow2('qcow2.backing_file', 'IMAGE_UNSAFE', 'a backing file without a name', u64be(8, 512n)),
  bad('qcow2.backing_file', 'IMAGE_UNSAFE')('a backing file in version 2', () => buildQcow2(2, u64be(8, 512n), u32be(16, 11), text(512, '/etc/shadow'))),
  qcow2('qcow2.data_file', 'IMAGE_UNSAFE', 'the bit for an external data file', u64be(72, 4n)),
  qcow2('qcow2.data_file', 'IMAGE_UNSAFE', 'the name of an external data file', extension(112, 0x44415441, '/etc/shadow')),
  qcow2('qcow2.data_file', 'IMAGE_UNSAFE', 'the name of one behind another extension', extension(112, 0x6803f857, 'x'.repeat(48)), extension(168, 0x44415441, '/x')),
  bad('qcow2.data_file', 'IMAGE_UNSAFE')('the name of one in version 2', () => buildQcow2(2, extension(72, 0x44415441, '/etc/shadow'))),
  qcow2('qcow2.encryption', 'IMAGE_UNSAFE', 'AES', u32be(32, 1)),
  qcow2('qcow2.encryption', 'IMAGE_UNSAFE', 'LUKS', u32be(32, 2)),
  qcow2('qcow2.encryption', 'IMAGE_UNSAFE', 'a header for encryption alone', extension(112, 0x0537be77, 'x'.repeat(16))),
  qcow2('qcow2.snapshots', 'IMAGE_UNSAFE', 'an internal snapshot', u32be(60, 1), u64be(64, 65536n)),
  qcow2('qcow2.dirty', 'IMAGE_CORRUPT', 'the dirty bit', u64be(72, 1n)),
  qcow2('qcow2.corrupt', 'IMAGE_CORRUPT', 'the corrupt bit', u64be(72, 2n)),
  qcow2('qcow2.incompatible_features', 'FORMAT_UNSUPPORTED', 'a feature bit that is not known', u64be(72, 32n)),
  qcow2('qcow2.incompatible_features', 'FORMAT_UNSUPPORTED', 'the highest feature bit', u64be(72, 2n ** 63n)),
  qcow2('qcow2.compression_type', 'FORMAT_UNSUPPORTED', 'a compression that is not known', u64be(72, 8n), u8(104, 2)),
  qcow2('qcow2.cluster_bits', 'IMAGE_CORRUPT', 'clusters of 256 bytes', u32be(20, 8)),
  qcow2('qcow2.cluster_bits', 'IMAGE_CORRUPT', 'clusters of 4 MiB', u32be(20, 22)),
  qcow2('qcow2.cluster_bits', 'IMAGE_CORRUPT', 'clusters of 2^4294967295', u32be(20, 0xffff_ffff)),
  qcow2('qcow2.cluster_bits', 'IMAGE_CORRUPT', 'extended L2 entries in clusters of 8 KiB', u64be(72, 16n), u32be(20, 13)),
  qcow2('qcow2.refcount_order', 'IMAGE_CORRUPT', 'a reference count order of 7', u32be(96, 7)),
  qcow2('qcow2.l1_table', 'IMAGE_CORRUPT', 'an L1 table of 32 GiB', u32be(36, 0xffff_ffff)),
  qcow2('qcow2.l1_table', 'IMAGE_CORRUPT', 'an L1 table that is too short for the disk', u64be(24, 2n ** 40n)),
  qcow2('qcow2.l1_table', 'IMAGE_CORRUPT', 'a disk of 2^64 - 1 bytes', u64be(24, 2n ** 64n - 1n)),
  qcow2('qcow2.l1_table', 'IMAGE_CORRUPT', 'an L1 table that is not aligned', u64be(40, 512n)),
  qcow2('qcow2.l1_table', 'IMAGE_CORRUPT', 'an L1 table in the header', u64be(40, 0n)),
  qcow2('qcow2.l1_table', 'IMAGE_CORRUPT', 'an L1 table behind the end', u64be(40, 2n ** 63n)),
  bad('qcow2.l1_table', 'IMAGE_CORRUPT')('a file that was cut off', () => buildQcow2(3).subarray(0, 3 * parts64k)),
  qcow2('qcow2.refcount_table', 'IMAGE_CORRUPT', 'a reference count table that is too large', u32be(56, 129)),
  qcow2('qcow2.refcount_table', 'IMAGE_CORRUPT', 'a reference count table behind the end', u64be(48, 2n ** 40n)),
  qcow2('qcow2.refcount_table', 'IMAGE_CORRUPT', 'no reference count table', u64be(48, 0n)),
];
