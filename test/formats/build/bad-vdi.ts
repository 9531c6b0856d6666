import type { ReasonName } from '../../../src/domain/failures.ts';
import type { CheckName } from '../../../src/formats/check-table.ts';
import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { u32le, u64le, u8 } from './change.ts';
import type { Change } from './change.ts';
import { blockTable, buildFullVdi, buildVdi } from './vdi.ts';

const vdi = (check: CheckName, reason: ReasonName, name: string, ...changes: readonly Change[]): BadImage =>
  bad(check, reason)(name, () => buildVdi(1, ...changes));
const full = (check: CheckName, name: string, ...changes: readonly Change[]): BadImage => bad(check, 'IMAGE_CORRUPT')(name, () => buildFullVdi(...changes));

/** Unsafe and broken VDI images. */
export const badVdi: readonly BadImage[] = [
  vdi('vdi.version', 'FORMAT_UNSUPPORTED', 'version 1.0', u32le(0x44, 0x0001_0000)),
  vdi('vdi.header', 'IMAGE_CORRUPT', 'image type 9', u32le(0x4c, 9)),
  vdi('vdi.header', 'IMAGE_CORRUPT', 'image type 0', u32le(0x4c, 0)),
  vdi('vdi.header', 'IMAGE_CORRUPT', 'sectors of 0 bytes', u32le(0x168, 0)),
  vdi('vdi.image_type', 'IMAGE_UNSAFE', 'an undo image', u32le(0x4c, 3)),
  vdi('vdi.image_type', 'IMAGE_UNSAFE', 'a differencing image', u32le(0x4c, 4)),
  vdi('vdi.parent', 'IMAGE_UNSAFE', 'a link to another image', u8(0x1a8, 1)),
  vdi('vdi.parent', 'IMAGE_UNSAFE', 'a parent', u8(0x1b8 + 15, 1)),
  vdi('vdi.block_size', 'FORMAT_UNSUPPORTED', 'blocks of 2 MiB', u32le(0x178, 2 ** 21)),
  vdi('vdi.block_size', 'FORMAT_UNSUPPORTED', 'blocks with extra bytes', u32le(0x17c, 512)),
  vdi('vdi.block_table', 'IMAGE_CORRUPT', 'a block table behind the end', u32le(0x154, 0xffff_fe00)),
  vdi('vdi.block_table', 'IMAGE_CORRUPT', 'a block table in the header', u32le(0x154, 0)),
  vdi('vdi.block_table', 'IMAGE_CORRUPT', 'a block table of 4 GiB', u32le(0x180, 0x3fff_ffff)),
  vdi('vdi.size', 'IMAGE_CORRUPT', 'a disk larger than its blocks', u64le(0x170, 2n ** 40n)),
  vdi('vdi.size', 'IMAGE_CORRUPT', 'more blocks in use than there are', u32le(0x184, 3)),
  vdi('vdi.size', 'IMAGE_CORRUPT', 'too many blocks to be true', u32le(0x180, 0xffff_ffff)),
  bad('vdi.size', 'IMAGE_CORRUPT')('a static VDI that was cut off', () => buildVdi(2).subarray(0, 1024 + 2 ** 20)),
  vdi('vdi.block_table', 'IMAGE_CORRUPT', 'a block table that is not aligned', u32le(0x154, 600)),
  vdi('vdi.block_table', 'IMAGE_CORRUPT', 'data that are not aligned', u32le(0x158, 1025)),
  vdi('vdi.block_table', 'IMAGE_CORRUPT', 'a block table that reaches into the data', u32le(0x158, 512)),
  full('vdi.block_entry', 'a block that is not in use', u32le(blockTable, 3)),
  full('vdi.block_entry', 'the largest number of a block', u32le(blockTable, 0xffff_fffd)),
  bad('vdi.block_entry', 'IMAGE_CORRUPT')('a dynamic VDI that was cut off', () => buildFullVdi().subarray(0, 1024 + 3 * 2 ** 20 - 1)),
  bad('vdi.block_entry', 'IMAGE_CORRUPT')('a static VDI that was cut off in its last block', () => buildVdi(2).subarray(0, 1024 + 2 ** 21 - 512)),
  full('vdi.overlap', 'a block that is given out twice', u32le(blockTable + 8, 1)),
  full('vdi.overlap', 'a block that is given out twice, the last one of the disk', u32le(blockTable, 0)),
];
