import type { ReasonName } from '../../../src/domain/failures.ts';
import type { CheckName } from '../../../src/formats/check-table.ts';
import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { text, u32be, u64be } from './change.ts';
import type { Change } from './change.ts';
import { buildDynamicVhd, buildFixedVhd, vhdFooter } from './vhd.ts';
import type { FooterOptions } from './vhd.ts';

const dynamicVhd = (check: CheckName, name: string, ...changes: readonly Change[]): BadImage =>
  bad(check, 'IMAGE_CORRUPT')(name, () => buildDynamicVhd({}, ...changes));
const fixedVhd = (check: CheckName, reason: ReasonName, name: string, options: FooterOptions): BadImage =>
  bad(check, reason)(name, () => buildFixedVhd(options));

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
  bad('vhd.footer', 'IMAGE_CORRUPT')('a dynamic disk without the copy of its footer', () => Buffer.concat([Buffer.alloc(4096), vhdFooter({ diskType: 3 })])),
  bad('vhd.footer', 'IMAGE_CORRUPT')('a fixed disk that begins with a footer', () => Buffer.concat([vhdFooter(), Buffer.alloc(4096), vhdFooter()])),
  fixedVhd('vhd.disk_type', 'FORMAT_UNSUPPORTED', 'disk type 5', { diskType: 5 }),
  fixedVhd('vhd.differencing', 'IMAGE_UNSAFE', 'a differencing disk by its footer', { diskType: 4 }),
  bad('vhd.differencing', 'IMAGE_UNSAFE')('a differencing disk by its footer copy', () => buildDynamicVhd({ diskType: 4 })),
  fixedVhd('vhd.size', 'IMAGE_CORRUPT', 'a fixed disk larger than its file', { currentSize: 2n ** 30n }),
  fixedVhd('vhd.size', 'IMAGE_CORRUPT', 'a disk of 2^63 bytes', { currentSize: 2n ** 63n }),
  bad('vhd.dynamic_header', 'IMAGE_CORRUPT')('a dynamic header behind the end', () => buildDynamicVhd({ dataOffset: 2n ** 60n })),
  bad('vhd.dynamic_header', 'IMAGE_CORRUPT')('a dynamic header in the footer copy', () => buildDynamicVhd({ dataOffset: 0n })),
  dynamicVhd('vhd.dynamic_header', 'no dynamic header', text(0, 'nosparse')),
  dynamicVhd('vhd.block_size', 'blocks of 0 bytes', u32be(32, 0)),
  dynamicVhd('vhd.block_size', 'blocks of 3 MiB', u32be(32, 3 * 1024 * 1024)),
  dynamicVhd('vhd.block_size', 'blocks of 2 GiB', u32be(32, 2 ** 31)),
  dynamicVhd('vhd.block_table', 'a block table behind the end', u64be(16, 2n ** 50n)),
  dynamicVhd('vhd.block_table', 'a block table of 16 GiB', u32be(28, 0xffff_ffff)),
  dynamicVhd('vhd.block_table', 'a block table that is too short', u32be(28, 0)),
];
