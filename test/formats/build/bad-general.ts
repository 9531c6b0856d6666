import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { changed, text, u32be, u32le, u64be } from './change.ts';
import { buildIso } from './iso.ts';
import { noise } from './noise.ts';
import { buildQcow2 } from './qcow2.ts';
import { buildRaw, mbr } from './raw.ts';
import { buildVdi } from './vdi.ts';
import { buildFixedVhd, vhdFooter } from './vhd.ts';
import { buildVhdx } from './vhdx.ts';
import { buildSparseVmdk, descriptorText } from './vmdk.ts';

const polyglot = bad('polyglot', 'IMAGE_UNSAFE');
const mismatch = bad('format.mismatch', 'FORMAT_MISMATCH');
const truncated = bad('truncated', 'IMAGE_CORRUPT');

/** What is refused whatever the format. */
export const badGeneral: readonly BadImage[] = [
  polyglot('a VHD footer behind a qcow2', () => Buffer.concat([buildQcow2(3), vhdFooter()])),
  polyglot('an ISO whose system area is a qcow2', () => buildIso((image) => void buildQcow2(3).copy(image, 0, 0, 512))),
  polyglot('an ISO whose system area is a VMDK descriptor', () => buildIso(text(0, descriptorText('monolithicFlat')))),
  polyglot('an ISO whose system area is a ZIP archive', () => buildIso(text(0, 'PK\x03\x04'))),
  polyglot('a qcow2 with the magic of a VDI', () => buildQcow2(3, u32le(0x40, 0xbeda107f)), 'DISK_FORMAT_QCOW2'),
  polyglot('a VMDK with a DMG trailer', () => Buffer.concat([buildSparseVmdk(), Buffer.concat([Buffer.from('koly'), Buffer.alloc(508)])])),
  polyglot('a fixed VHD whose guest begins like a qcow2', () => buildFixedVhd({}, text(0, 'QFI\xfb\0\0\0\x03'))),
  mismatch('a qcow2 that was declared as raw', () => buildQcow2(3), 'DISK_FORMAT_RAW'),
  mismatch('a raw disk that was declared as qcow2', () => buildRaw(mbr), 'DISK_FORMAT_QCOW2'),
  mismatch('noise that was declared as vmdk', () => noise(4096, 3), 'DISK_FORMAT_VMDK'),
  mismatch('a raw disk that was declared as vhd', () => buildRaw(mbr), 'DISK_FORMAT_VHD'),
  mismatch('a fixed VHD that was declared as raw', () => buildFixedVhd(), 'DISK_FORMAT_RAW'),
  mismatch('an ISO that was declared as vhdx', () => buildIso(), 'DISK_FORMAT_VHDX'),
  bad('format.unsupported', 'FORMAT_UNSUPPORTED')('a QED that was declared as raw', () => buildRaw(text(0, 'QED\0')), 'DISK_FORMAT_RAW'),
  bad('luks.encryption', 'IMAGE_UNSAFE')('LUKS 1', () => buildRaw(text(0, 'LUKS\xba\xbe\0\x01'))),
  bad('luks.encryption', 'IMAGE_UNSAFE')('LUKS 2', () => buildRaw(text(0, 'LUKS\xba\xbe\0\x02'))),
  bad('luks.encryption', 'IMAGE_UNSAFE')('LUKS 2 of which only the second header is left', () => buildRaw(text(0x4000, 'SKUL\xba\xbe\0\x02'))),
  bad('content.not_a_disk', 'NOT_A_DISK_IMAGE')('a JPEG that was declared as qcow2', () => Buffer.from('\xff\xd8\xff\xe0', 'latin1'), 'DISK_FORMAT_QCOW2'),
  bad('content.not_a_disk', 'NOT_A_DISK_IMAGE')('a tar archive whose header has a wrong checksum', () => changed(buildRaw(mbr), text(0, 'machine.ovf\0'), text(257, 'ustar\x0000'))),
  bad('content.compressed', 'NOT_A_DISK_IMAGE')('a compressed image', () => buildRaw(text(0, '\x1f\x8b\x08'))),
  bad('virtual_size', 'IMAGE_UNSAFE')('a disk of 128 TiB', () => hugeQcow2()),
  bad('virtual_size.zero', 'NOT_A_DISK_IMAGE')('a qcow2 without a disk', () => buildQcow2(3, u64be(24, 0n))),
  bad('raw.empty', 'NOT_A_DISK_IMAGE')('an empty file', () => Buffer.alloc(0)),
  bad('raw.empty', 'NOT_A_DISK_IMAGE')('an empty file that was declared as qcow2', () => Buffer.alloc(0), 'DISK_FORMAT_QCOW2'),
  bad('raw.size', 'IMAGE_CORRUPT')('a raw disk that was cut off', () => buildRaw(mbr).subarray(0, 700_001)),
  bad('raw.unrecognised', 'NOT_A_DISK_IMAGE')('noise, where the operator takes only what is recognised', () => noise(65_536, 7)),
  bad('raw.size', 'IMAGE_CORRUPT')('one byte', () => Buffer.alloc(1)),
  truncated('a qcow2 of 30 bytes', () => buildQcow2(3).subarray(0, 30)),
  truncated('a VMDK of 60 bytes', () => buildSparseVmdk().subarray(0, 60)),
  truncated('a VMDK that ends in its descriptor', () => buildSparseVmdk().subarray(0, 600)),
  truncated('a VHDX that ends in its headers', () => buildVhdx().subarray(0, 70_000)),
  truncated('a VDI of 100 bytes', () => buildVdi(1).subarray(0, 100)),
];

/** 128 TiB in clusters of 2 MiB, with an L1 table that suffices and lies inside the file. */
function hugeQcow2(): Buffer {
  const image = Buffer.alloc(4 * 2 ** 21);
  const header = buildQcow2(3, u32be(20, 21), u64be(24, 2n ** 47n), u32be(36, 256), u64be(40, 3n * 2n ** 21n), u64be(48, 2n ** 21n));
  header.copy(image, 0, 0, 512);
  return image;
}
