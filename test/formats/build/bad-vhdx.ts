import type { ReasonName } from '../../../src/domain/failures.ts';
import type { CheckName } from '../../../src/formats/check-table.ts';
import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { text, u16le, u32le, u64le, u8 } from './change.ts';
import { buildVhdx, unknownId, vhdxTableAt } from './vhdx.ts';
import type { VhdxChanges } from './vhdx.ts';

const vhdx = (check: CheckName, reason: ReasonName, name: string, changes: VhdxChanges): BadImage =>
  bad(check, reason)(name, () => buildVhdx(changes));
const parts64k = 64 * 1024;
const mebibyte = 1024 * 1024;

/** Two blocks of 8 MiB, of which the disk needs 10 MiB, at 4 and 12 MiB, whose entries are as given. */
const blocksVhdx = (check: CheckName, reason: ReasonName, name: string, first: bigint, second: bigint): BadImage =>
  vhdx(check, reason, name, { dataBytes: 16 * mebibyte, file: [u64le(vhdxTableAt, first), u64le(vhdxTableAt + 8, second)] });
const present = (offsetMebibytes: number): bigint => (BigInt(offsetMebibytes) << 20n) | 6n;

/** VHDX images whose headers are sound and whose block allocation tables are not. */
export const badVhdxTables: readonly BadImage[] = [
  blocksVhdx('vhdx.block_state', 'IMAGE_CORRUPT', 'a block that is partly in a parent', 7n | (4n << 20n), 0n),
  blocksVhdx('vhdx.block_state', 'IMAGE_CORRUPT', 'state 4', 4n, 0n),
  blocksVhdx('vhdx.block_state', 'IMAGE_CORRUPT', 'a reserved bit', present(4) | 8n, 0n),
  blocksVhdx('vhdx.block_state', 'IMAGE_CORRUPT', 'the highest reserved bit of a block that is not there', 0n, 1n << 19n),
  bad('vhdx.block_state', 'IMAGE_CORRUPT')('a bitmap of sectors', () => buildVhdx({ metadata: [u32le(parts64k, mebibyte), u64le(parts64k + 16, 2n ** 32n + 2n ** 20n)], file: [u64le(vhdxTableAt + 4096 * 8, present(4))] })),
  blocksVhdx('vhdx.block', 'IMAGE_CORRUPT', 'a block in the headers', present(0), 0n),
  blocksVhdx('vhdx.block', 'IMAGE_CORRUPT', 'a block behind the end', present(20), 0n),
  blocksVhdx('vhdx.block', 'IMAGE_CORRUPT', 'a block that reaches beyond the end', present(13), 0n),
  blocksVhdx('vhdx.block', 'IMAGE_CORRUPT', 'the largest offset', 6n | (0xfff_ffff_ffffn << 20n), 0n),
  blocksVhdx('vhdx.overlap', 'IMAGE_UNSAFE', 'one block given out twice', present(4), present(4)),
  blocksVhdx('vhdx.overlap', 'IMAGE_UNSAFE', 'two blocks that share a MiB', present(4), present(11)),
  blocksVhdx('vhdx.overlap', 'IMAGE_UNSAFE', 'a block in the log', 0n, present(1)),
  blocksVhdx('vhdx.overlap', 'IMAGE_UNSAFE', 'a block in the metadata', 0n, present(2)),
  blocksVhdx('vhdx.overlap', 'IMAGE_UNSAFE', 'a block in its own table', 0n, present(3)),
  vhdx('vhdx.overlap', 'IMAGE_UNSAFE', 'a block in a region that is not known', {
    dataBytes: 16 * mebibyte,
    regions: [u32le(8, 3), (table) => unknownId(table), u64le(16 + 64 + 16, BigInt(5 * mebibyte)), u32le(16 + 64 + 24, mebibyte)],
    file: [u64le(vhdxTableAt, present(4))],
  }),
];

/** Unsafe and broken VHDX images. */
export const badVhdx: readonly BadImage[] = [
  vhdx('vhdx.header', 'IMAGE_CORRUPT', 'two damaged headers', { file: [u8(parts64k + 100, 1), u8(2 * parts64k + 100, 1)] }),
  vhdx('vhdx.header', 'IMAGE_CORRUPT', 'two headers with one sequence number', { header: [(header) => header.writeUInt8(Number(header.readBigUInt64LE(8)), 100), u64le(8, 5n)] }),
  vhdx('vhdx.header', 'IMAGE_CORRUPT', 'version 2', { header: [u16le(66, 2)] }),
  vhdx('vhdx.header', 'IMAGE_CORRUPT', 'version 1 of the log', { header: [u16le(64, 1)] }),
  vhdx('vhdx.header', 'IMAGE_CORRUPT', 'a log in the headers', { header: [u64le(72, 0n)] }),
  vhdx('vhdx.header', 'IMAGE_CORRUPT', 'a log at an odd place', { header: [u64le(72, 2n ** 20n + 512n)] }),
  vhdx('vhdx.header', 'IMAGE_CORRUPT', 'a log of an odd length', { header: [u32le(68, 4096)] }),
  vhdx('vhdx.region_table', 'IMAGE_CORRUPT', 'a log in the metadata', { header: [u64le(72, 2n * 2n ** 20n)] }),
  vhdx('vhdx.region_table', 'IMAGE_CORRUPT', 'a log behind the end', { header: [u64le(72, 2n ** 50n)] }),
  vhdx('vhdx.region_table', 'IMAGE_CORRUPT', 'two region tables that differ', {
    file: [(image) => void buildVhdx({ regions: [u32le(40, 2 * 2 ** 20)] }).copy(image, 4 * parts64k, 4 * parts64k, 5 * parts64k)],
  }),
  vhdx('vhdx.log', 'IMAGE_CORRUPT', 'a log to be replayed', { header: [u8(48, 1)] }),
  vhdx('vhdx.region_table', 'IMAGE_CORRUPT', 'two damaged region tables', { file: [u8(3 * parts64k + 100, 1), u8(4 * parts64k + 100, 1)] }),
  vhdx('vhdx.region_table', 'IMAGE_CORRUPT', 'a region table of 5000 entries', { regions: [u32le(8, 5000)] }),
  vhdx('vhdx.region_table', 'IMAGE_CORRUPT', 'a region table without entries', { regions: [u32le(8, 0)] }),
  vhdx('vhdx.region_table', 'IMAGE_CORRUPT', 'a region behind the end', { regions: [u64le(32, 2n ** 40n)] }),
  vhdx('vhdx.region_table', 'IMAGE_CORRUPT', 'two regions in one place', { regions: [u64le(32, 2n * 2n ** 20n)] }),
  vhdx('vhdx.region_table', 'IMAGE_CORRUPT', 'a region of 4 GiB', { regions: [u32le(40, 0xfff0_0000)] }),
  vhdx('vhdx.region_table', 'IMAGE_CORRUPT', 'a region named twice', { regions: [(table) => void table.copyWithin(48, 16, 32)] }),
  vhdx('vhdx.required_unknown', 'FORMAT_UNSUPPORTED', 'a required region that is not known', { regions: [u32le(8, 3), (table) => unknownId(table), u8(16 + 64 + 28, 1)] }),
  vhdx('vhdx.required_unknown', 'FORMAT_UNSUPPORTED', 'required metadata that is not known', { metadata: [u8(32, 0x99)] }),
  vhdx('vhdx.metadata', 'IMAGE_CORRUPT', 'no metadata table', { metadata: [text(0, 'metatada')] }),
  vhdx('vhdx.metadata', 'IMAGE_CORRUPT', 'metadata of 2000 entries', { metadata: [u16le(10, 2000)] }),
  vhdx('vhdx.metadata', 'IMAGE_CORRUPT', 'no disk size', { metadata: [u16le(10, 1)] }),
  vhdx('vhdx.metadata', 'IMAGE_CORRUPT', 'no physical sector size', { metadata: [(region) => void region.copyWithin(32 + 96, 32 + 128, 32 + 160), u16le(10, 4)] }),
  vhdx('vhdx.metadata', 'IMAGE_CORRUPT', 'no disk ID', { metadata: [u16le(10, 4)] }),
  vhdx('vhdx.metadata', 'IMAGE_CORRUPT', 'a disk size of 4 bytes', { metadata: [u32le(32 + 32 + 20, 4)] }),
  vhdx('vhdx.metadata', 'IMAGE_CORRUPT', 'a flag that is not known', { metadata: [u32le(parts64k + 4, 4)] }),
  vhdx('vhdx.metadata', 'IMAGE_CORRUPT', 'an item outside of its region', { metadata: [u32le(48, 0xffff_0000)] }),
  vhdx('vhdx.metadata', 'IMAGE_CORRUPT', 'an item named twice', { metadata: [(region) => void region.copyWithin(64, 32, 64)] }),
  vhdx('vhdx.parent', 'IMAGE_UNSAFE', 'a parent', { metadata: [u32le(parts64k + 4, 2)] }),
  vhdx('vhdx.parent', 'IMAGE_UNSAFE', 'the locator of a parent alone', {
    metadata: [(region) => void region.write('2d5fd3a80bb34d45abf7d3d84834ab0c', 32 + 4 * 32, 'hex')],
  }),
  vhdx('vhdx.block_size', 'IMAGE_CORRUPT', 'blocks of 3 MiB', { metadata: [u32le(parts64k, 3 * 2 ** 20)] }),
  vhdx('vhdx.block_size', 'IMAGE_CORRUPT', 'blocks of 512 MiB', { metadata: [u32le(parts64k, 2 ** 29)] }),
  vhdx('vhdx.sector_size', 'IMAGE_CORRUPT', 'sectors of 0 bytes', { metadata: [u32le(parts64k + 32, 0)] }),
  vhdx('vhdx.virtual_size', 'IMAGE_CORRUPT', 'a disk of 2^63 bytes', { metadata: [u64le(parts64k + 16, 2n ** 63n)] }),
  vhdx('vhdx.virtual_size', 'IMAGE_CORRUPT', 'half a sector', { metadata: [u64le(parts64k + 16, 1000n)] }),
  vhdx('vhdx.block_table', 'IMAGE_CORRUPT', 'a block table that is too short', { metadata: [u64le(parts64k + 16, 2n ** 45n)] }),
  ...badVhdxTables,
];
