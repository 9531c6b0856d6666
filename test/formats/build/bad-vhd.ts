import type { ReasonName } from '../../../src/domain/failures.ts';
import type { CheckName } from '../../../src/formats/check-table.ts';
import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { text, u32be, u64be } from './change.ts';
import type { Change } from './change.ts';
import { noise } from './noise.ts';
import { blockTableAt, buildBlockVhd, buildDynamicVhd, buildFixedVhd, vhdFooter } from './vhd.ts';
import type { FooterOptions } from './vhd.ts';

const dynamicVhd = (check: CheckName, reason: ReasonName, name: string, ...changes: readonly Change[]): BadImage =>
  bad(check, reason)(name, () => buildDynamicVhd({}, ...changes));
const fixedVhd = (check: CheckName, reason: ReasonName, name: string, options: FooterOptions): BadImage =>
  bad(check, reason)(name, () => buildFixedVhd(options));

const data = noise(4096, 11);
/** Three blocks of 4 KiB, the second of which is not allocated: they begin at the sectors 4 and 13, and the footer at 22. */
const blocksVhd = (check: CheckName, reason: ReasonName, name: string, ...changes: readonly Change[]): BadImage =>
  bad(check, reason)(name, () => buildBlockVhd([{ data }, undefined, { data }], ...changes));

/** Dynamic VHDs whose headers are sound and whose tables are not. */
export const badVhdTables: readonly BadImage[] = [
  blocksVhd('vhd.block', 'IMAGE_CORRUPT', 'a block behind the end', u32be(blockTableAt, 0x00ff_ffff)),
  blocksVhd('vhd.block', 'IMAGE_CORRUPT', 'the last sector that an entry can name', u32be(blockTableAt, 0xffff_fffe)),
  blocksVhd('vhd.block', 'IMAGE_CORRUPT', 'a block that ends in the footer', u32be(blockTableAt + 8, 14)),
  blocksVhd('vhd.overlap', 'IMAGE_UNSAFE', 'one block given out twice', u32be(blockTableAt + 8, 4)),
  blocksVhd('vhd.overlap', 'IMAGE_UNSAFE', 'two blocks that share a sector', u32be(blockTableAt + 8, 12)),
  blocksVhd('vhd.overlap', 'IMAGE_UNSAFE', 'a block in the footer copy', u32be(blockTableAt + 4, 0)),
  blocksVhd('vhd.overlap', 'IMAGE_UNSAFE', 'a block in the dynamic header', u32be(blockTableAt + 4, 2)),
  blocksVhd('vhd.overlap', 'IMAGE_UNSAFE', 'a block in the table', u32be(blockTableAt + 4, 3)),
  dynamicVhd('vhd.overlap', 'IMAGE_UNSAFE', 'a table in the dynamic header', u64be(16, 1024n)),
  bad('vhd.sector_bitmap', 'IMAGE_UNSAFE')('data in a block of which nothing was written', () => buildBlockVhd([{ data, bitmap: 0 }])),
  bad('vhd.sector_bitmap', 'IMAGE_UNSAFE')('data in a sector that was not written', () => buildBlockVhd([undefined, { data, bitmap: 0b1111_0111 }])),
];

/** Unsafe and broken VHD images. */
export const badVhd: readonly BadImage[] = [
  bad('vhd.checksum', 'IMAGE_CORRUPT')('a damaged footer', () => {
    const image = buildFixedVhd();
    image.writeUInt8(1, image.length - 400);
    return image;
  }),
  bad('vhd.checksum', 'IMAGE_CORRUPT')('a damaged footer copy', () => {
    const image = buildDynamicVhd();
    image.writeUInt8(9, 100);
    return image;
  }),
  bad('vhd.checksum', 'IMAGE_CORRUPT')('a damaged dynamic header', () => {
    const image = buildDynamicVhd();
    image.writeUInt8(9, 512 + 900);
    return image;
  }),
  bad('vhd.footer', 'IMAGE_CORRUPT')('a dynamic VHD that was cut off', () => buildDynamicVhd().subarray(0, 2048)),
  bad('vhd.footer', 'IMAGE_CORRUPT')('nothing but a footer copy', () => buildDynamicVhd().subarray(0, 512)),
  bad('vhd.footer', 'IMAGE_CORRUPT')('a footer and a copy of another size', () =>
    Buffer.concat([buildDynamicVhd().subarray(0, 2048), vhdFooter({ diskType: 3, currentSize: 4096n })]),
  ),
  bad('vhd.footer', 'IMAGE_CORRUPT')('a footer of 511 bytes', () => Buffer.concat([Buffer.alloc(4096), vhdFooter().subarray(0, 511)])),
  bad('vhd.footer', 'IMAGE_CORRUPT')('a footer between two sectors', () => Buffer.concat([buildFixedVhd().subarray(0, -512), Buffer.alloc(64), vhdFooter()])),
  bad('vhd.footer', 'IMAGE_CORRUPT')('a dynamic disk without the copy of its footer', () => Buffer.concat([Buffer.alloc(4096), vhdFooter({ diskType: 3 })])),
  bad('vhd.footer', 'IMAGE_CORRUPT')('a fixed disk that begins with a footer', () => Buffer.concat([vhdFooter(), Buffer.alloc(4096), vhdFooter()])),
  fixedVhd('vhd.disk_type', 'FORMAT_UNSUPPORTED', 'disk type 5', { diskType: 5 }),
  fixedVhd('vhd.differencing', 'IMAGE_UNSAFE', 'a differencing disk by its footer', { diskType: 4 }),
  bad('vhd.differencing', 'IMAGE_UNSAFE')('a differencing disk by its footer copy', () => buildDynamicVhd({ diskType: 4 })),
  fixedVhd('vhd.size', 'IMAGE_CORRUPT', 'a fixed disk larger than its file', { currentSize: 2n ** 30n }),
  fixedVhd('vhd.size', 'IMAGE_CORRUPT', 'a disk of 2^63 bytes', { currentSize: 2n ** 63n }),
  bad('vhd.dynamic_header', 'IMAGE_CORRUPT')('a dynamic header behind the end', () => buildDynamicVhd({ dataOffset: 2n ** 60n })),
  bad('vhd.dynamic_header', 'IMAGE_CORRUPT')('a dynamic header in the footer copy', () => buildDynamicVhd({ dataOffset: 0n })),
  dynamicVhd('vhd.dynamic_header', 'IMAGE_CORRUPT', 'no dynamic header', text(0, 'nosparse')),
  dynamicVhd('vhd.block_size', 'IMAGE_CORRUPT', 'blocks of 0 bytes', u32be(32, 0)),
  dynamicVhd('vhd.block_size', 'IMAGE_CORRUPT', 'blocks of 2 KiB', u32be(32, 2048)),
  dynamicVhd('vhd.block_size', 'IMAGE_CORRUPT', 'blocks of 3 MiB', u32be(32, 3 * 1024 * 1024)),
  dynamicVhd('vhd.block_size', 'IMAGE_CORRUPT', 'blocks of 2 GiB', u32be(32, 2 ** 31)),
  dynamicVhd('vhd.block_table', 'IMAGE_CORRUPT', 'a block table behind the end', u64be(16, 2n ** 50n)),
  dynamicVhd('vhd.block_table', 'IMAGE_CORRUPT', 'a block table of 16 GiB', u32be(28, 0xffff_ffff)),
  dynamicVhd('vhd.block_table', 'IMAGE_CORRUPT', 'a block table that is too short', u32be(28, 0)),
  dynamicVhd('vhd.block_table', 'IMAGE_CORRUPT', 'a block table at an odd place', u64be(16, 1600n)),
  bad('vhd.block_table', 'IMAGE_CORRUPT')('a block table for more than 2040 GiB', () => withTable(1_044_481)),
  bad('vhd.block_table', 'IMAGE_CORRUPT')('a block table with a million entries too many', () => withTable(2 ** 20 + 2, 4096)),
  ...badVhdTables,
];

/** A dynamic VHD of 1 MiB with a table of so many entries. */
function withTable(entries: number, blockBytes = 2 * 1024 * 1024): Buffer {
  const image = buildDynamicVhd(blockBytes === 4096 ? { currentSize: 4096n } : {}, u32be(28, entries), u32be(32, blockBytes));
  return Buffer.concat([image.subarray(0, 1536), Buffer.alloc(Math.ceil(entries / 128) * 512, 0xff), image.subarray(2048)]);
}
