import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { text, u64le } from './change.ts';
import type { Change } from './change.ts';
import { buildQcow2 } from './qcow2.ts';
import { buildVdi } from './vdi.ts';
import { buildBlockVhd, vhdFooter } from './vhd.ts';
import { buildVhdx, vhdxBlocksAt, vhdxTableAt } from './vhdx.ts';
import { descriptorText } from './vmdk.ts';

const nested = bad('nested_format', 'IMAGE_UNSAFE');
const mebibyte = 2 ** 20;

/** A VHDX of 10 MiB whose first block is stored; changes count from its first byte. */
const vhdxWith = (change: Change): Buffer =>
  buildVhdx({ dataBytes: 8 * mebibyte, file: [u64le(vhdxTableAt, (4n << 20n) | 6n), (image) => change(image.subarray(vhdxBlocksAt))] });

/** Images whose guest's disk is an image itself. */
export const badNested: readonly BadImage[] = [
  nested('a qcow2 in a dynamic VHD', () => buildBlockVhd([{ data: buildQcow2(3).subarray(0, 4096) }])),
  nested('a VHD footer at the end of the disk in a dynamic VHD', () => buildBlockVhd([undefined, { data: Buffer.concat([Buffer.alloc(3584), vhdFooter()]) }])),
  nested('a qcow2 in a VHDX', () => vhdxWith((disk) => void buildQcow2(3).copy(disk))),
  nested('a VMDK descriptor in a VHDX', () => vhdxWith(text(0, descriptorText('monolithicFlat')))),
  nested('a VMDK descriptor in a VDI', () => buildVdi(2, text(1024, descriptorText('monolithicFlat')))),
  bad('luks.encryption', 'IMAGE_UNSAFE')('LUKS in a VHDX', () => vhdxWith(text(0, 'LUKS\xba\xbe\0\x02'))),
];
