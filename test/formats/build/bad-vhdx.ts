import type { ReasonName } from '../../../src/domain/failures.ts';
import type { CheckName } from '../../../src/formats/check-table.ts';
import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { text, u16le, u32le, u64le, u8 } from './change.ts';
import { buildVhdx, unknownId } from './vhdx.ts';
import type { VhdxChanges } from './vhdx.ts';

const vhdx = (check: CheckName, reason: ReasonName, name: string, changes: VhdxChanges): BadImage =>
  bad(check, reason)(name, () => buildVhdx(changes));
const parts64k = 64 * 1024;

/** Unsafe and broken VHDX images. */
export const badVhdx: readonly BadImage[] = [
  vhdx('vhdx.header', 'IMAGE_CORRUPT', 'two damaged headers', { file: [u8(parts64k + 100, 1), u8(2 * parts64k + 100, 1)] }),
  vhdx('vhdx.header', 'IMAGE_CORRUPT', 'two headers with one sequence number', { header: [(header) => header.writeUInt8(Number(header.readBigUInt64LE(8)), 100), u64le(8, 5n)] }),
  vhdx('vhdx.header', 'IMAGE_CORRUPT', 'version 2', { header: [u16le(66, 2)] }),
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
];
