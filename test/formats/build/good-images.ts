import type { Verdict } from '../../../src/formats/verdict.ts';
import type { DiskFormat } from '../../../src/gen/lehr/v1/disk_format.ts';
import { text, u16le, u32be, u64be } from './change.ts';
import { buildIso, buildUdf } from './iso.ts';
import { noise } from './noise.ts';
import { bitmapParts, buildExtendedQcow2, buildFilledQcow2, buildQcow2, buildScatteredQcow2, extension, filled, l2Entry, refcount, withBitmap } from './qcow2.ts';
import { buildRaw, gpt, mbr } from './raw.ts';
import { buildVdi } from './vdi.ts';
import { buildDynamicVhd, buildFixedVhd } from './vhd.ts';
import { buildVhdx } from './vhdx.ts';
import { buildSparseVmdk, buildStreamedVmdk } from './vmdk.ts';

type Accepted = Extract<Verdict, { kind: 'accepted' }>;

/** An image that is sound, and what is said of it. `declared`: as what, where not as nothing or as what it is. */
export interface GoodImage extends Omit<Accepted, 'kind' | 'guestDigest'> {
  readonly name: string;
  readonly build: () => Buffer;
  readonly declared?: DiskFormat;
}

const mebibyte = 1024n * 1024n;

const raw = (name: string, build: () => Buffer, content: string | undefined, declared?: DiskFormat): GoodImage => ({
  name,
  build,
  format: 'DISK_FORMAT_RAW',
  virtualSizeBytes: BigInt(build().length),
  warnings: content === undefined ? ['raw.unrecognised_content'] : [],
  facts: content === undefined ? {} : { content },
  declared,
});

const qcow2 = (name: string, build: () => Buffer, facts: Record<string, string>, warnings: readonly string[] = []): GoodImage => ({
  name,
  build,
  format: 'DISK_FORMAT_QCOW2',
  virtualSizeBytes: mebibyte,
  warnings,
  facts: { qcow2_version: '3', cluster_bytes: '65536', compression_type: 'zlib', ...facts },
});

const vhd = (name: string, build: () => Buffer, virtualSizeBytes: bigint, facts: Record<string, string>): GoodImage => ({
  name,
  build,
  format: 'DISK_FORMAT_VHD',
  virtualSizeBytes,
  warnings: [],
  facts: { creator_app: 'win', size_rule: 'current_size', ...facts },
});

const iso = (name: string, build: () => Buffer, facts: Record<string, string>, warnings: readonly string[] = []): GoodImage => ({
  name,
  build,
  format: 'DISK_FORMAT_ISO',
  virtualSizeBytes: BigInt(Math.ceil(build().length / 512) * 512),
  warnings,
  facts,
});

const discFacts = { file_system: 'ISO 9660', volume_id: 'LEHR TEST', boot: 'El Torito' };
const largestGeometry = [65535, 16, 255] as const;

/** Sound images of every format and kind, made from the specifications. */
export const goodImages: readonly GoodImage[] = [
  qcow2('qcow2 version 2', () => buildQcow2(2), { qcow2_version: '2' }),
  qcow2('qcow2 version 3', () => buildQcow2(3), {}),
  qcow2('qcow2 with zstd', () => buildQcow2(3, u64be(72, 8n), (image) => image.fill(1, 104, 105)), { compression_type: 'zstd' }),
  qcow2('qcow2 with extended L2 entries', () => buildQcow2(3, u64be(72, 16n)), { extended_l2: 'true' }),
  qcow2('qcow2 with a table of feature names', () => buildQcow2(3, extension(112, 0x6803f857, 'x'.repeat(48))), {}),
  qcow2('qcow2 with bitmaps', () => buildQcow2(3, extension(112, 0x23852875, 'x'.repeat(24))), {}, ['qcow2.bitmaps']),
  qcow2('qcow2 with bitmaps that hold', () => withBitmap(), {}, ['qcow2.bitmaps']),
  qcow2('qcow2 with bitmaps that a program lost sight of', () => withBitmap(u64be(88, 0n), u64be(bitmapParts.extension + 24, 1n)), {}, ['qcow2.bitmaps']),
  qcow2('qcow2 version 2 with clusters of each kind', () => buildFilledQcow2(2), { qcow2_version: '2' }),
  qcow2('qcow2 with clusters of each kind', () => buildFilledQcow2(3), {}),
  qcow2('qcow2 with its tables behind its data', () => buildScatteredQcow2(), { qcow2_version: '2' }),
  qcow2('qcow2 with subclusters', () => buildExtendedQcow2(), { extended_l2: 'true' }),
  qcow2('qcow2 with clusters that are counted too often', () => buildFilledQcow2(3, refcount(5, 2), l2Entry(0, BigInt(filled.first))), {}),
  qcow2('qcow2 that ends inside its last cluster', () => buildFilledQcow2(3).subarray(0, filled.preallocated + 512), {}),
  qcow2('qcow2 whose first sector ends like a boot sector', () => buildQcow2(3, text(510, '\x55\xaa')), {}),
  qcow2('qcow2 with clusters that nothing refers to', () => Buffer.concat([buildQcow2(3), noise(65536, 7)]), {}),
  {
    name: 'monolithicSparse VMDK',
    build: () => buildSparseVmdk(),
    format: 'DISK_FORMAT_VMDK',
    virtualSizeBytes: mebibyte,
    warnings: [],
    facts: { vmdk_version: '1', create_type: 'monolithicSparse', grain_bytes: '65536' },
  },
  {
    name: 'streamOptimized VMDK with a footer',
    build: () => buildStreamedVmdk(),
    format: 'DISK_FORMAT_VMDK',
    virtualSizeBytes: mebibyte,
    warnings: [],
    facts: { vmdk_version: '3', create_type: 'streamOptimized', grain_bytes: '65536' },
  },
  {
    name: 'VMDK that was not closed, with a size in its descriptor that is out of date',
    build: () => buildSparseVmdk((image) => image.writeUInt8(1, 72), (image) => image.write('RW 9999', image.indexOf('RW 2048'))),
    format: 'DISK_FORMAT_VMDK',
    virtualSizeBytes: mebibyte,
    warnings: ['vmdk.unclean_shutdown', 'vmdk.extent_size'],
    facts: { vmdk_version: '1', create_type: 'monolithicSparse', grain_bytes: '65536' },
  },
  vhd('fixed VHD', () => buildFixedVhd({}, mbr), mebibyte, { disk_type: 'fixed' }),
  vhd('fixed VHD of zeros', () => buildFixedVhd(), mebibyte, { disk_type: 'fixed' }),
  vhd('dynamic VHD', () => buildDynamicVhd(), mebibyte, { disk_type: 'dynamic', block_bytes: '2097152' }),
  vhd('VHD by Virtual PC, whose geometry counts', () => buildFixedVhd({ creatorApp: 'vpc ' }), 30n * 4n * 17n * 512n, {
    disk_type: 'fixed',
    creator_app: 'vpc',
    size_rule: 'geometry',
  }),
  vhd('VHD by Virtual PC of the largest geometry, whose size counts', () => buildFixedVhd({ creatorApp: 'vpc ', geometry: largestGeometry }), mebibyte, {
    disk_type: 'fixed',
    creator_app: 'vpc',
  }),
  {
    name: 'VHDX',
    build: () => buildVhdx(),
    format: 'DISK_FORMAT_VHDX',
    virtualSizeBytes: 10n * mebibyte,
    warnings: [],
    facts: { block_bytes: '8388608', logical_sector_bytes: '512' },
  },
  {
    name: 'VHDX of which one header and one region table are damaged',
    build: () => buildVhdx({ file: [text(64 * 1024, 'gone'), text(256 * 1024, 'gone')] }),
    format: 'DISK_FORMAT_VHDX',
    virtualSizeBytes: 10n * mebibyte,
    warnings: [],
    facts: { block_bytes: '8388608', logical_sector_bytes: '512' },
  },
  {
    name: 'dynamic VDI',
    build: () => buildVdi(1),
    format: 'DISK_FORMAT_VDI',
    virtualSizeBytes: 2n * mebibyte,
    warnings: [],
    facts: { image_type: 'dynamic', block_bytes: '1048576' },
  },
  {
    name: 'static VDI',
    build: () => buildVdi(2),
    format: 'DISK_FORMAT_VDI',
    virtualSizeBytes: 2n * mebibyte,
    warnings: [],
    facts: { image_type: 'static', block_bytes: '1048576' },
  },
  iso('ISO', () => buildIso(), discFacts),
  iso('isohybrid with an MBR', () => buildIso(mbr), { ...discFacts, isohybrid: 'MBR' }),
  iso('isohybrid with a GPT', () => buildIso(gpt), { ...discFacts, isohybrid: 'GPT' }),
  iso('ISO without its last sectors', () => buildIso().subarray(0, 39 * 2048), discFacts, ['iso.size']),
  iso('ISO of an odd size', () => Buffer.concat([buildIso(), Buffer.alloc(100)]), discFacts, ['iso.size']),
  iso('UDF disc', () => buildUdf(), { file_system: 'UDF' }),
  raw('raw disk with an MBR', () => buildRaw(mbr), 'MBR'),
  raw('raw disk with a GPT', () => buildRaw(gpt), 'GPT'),
  raw('raw disk with a GPT in sectors of 4096 bytes', () => buildRaw(text(4096, 'EFI PART')), 'GPT'),
  raw('raw disk with an Apple partition map', () => buildRaw(text(0, 'ER'), text(512, 'PM')), 'Apple partition map'),
  raw('raw disk with a BSD disklabel', () => buildRaw(u32be(512, 0x57455682)), 'BSD disklabel'),
  raw('raw disk with nothing but a boot sector', () => buildRaw(text(0, '\xfa'), text(510, '\x55\xaa')), 'boot sector'),
  raw('raw NTFS', () => buildRaw(text(0, '\xeb\x52\x90NTFS    '), text(510, '\x55\xaa')), 'NTFS file system'),
  raw('raw exFAT', () => buildRaw(text(0, '\xeb\x76\x90EXFAT   '), text(510, '\x55\xaa')), 'exFAT file system'),
  raw('raw FAT16', () => buildRaw(text(0, '\xeb\x3c\x90mkfs.fat'), text(54, 'FAT16   '), text(510, '\x55\xaa')), 'FAT file system'),
  raw('raw FAT32', () => buildRaw(text(0, '\xeb\x58\x90mkfs.fat'), text(82, 'FAT32   '), text(510, '\x55\xaa')), 'FAT file system'),
  raw('raw ext2', () => buildRaw(u16le(1080, 0xef53)), 'ext2 file system'),
  raw('raw ext3', () => buildRaw(u16le(1080, 0xef53), u16le(1116, 4)), 'ext3 file system'),
  raw('raw ext4', () => buildRaw(u16le(1080, 0xef53), u16le(1116, 4), u16le(1120, 0x2c2)), 'ext4 file system'),
  raw('raw XFS', () => buildRaw(text(0, 'XFSB')), 'XFS file system'),
  raw('raw btrfs', () => buildRaw(text(65536 + 64, '_BHRfS_M')), 'btrfs file system'),
  raw('raw LVM2', () => buildRaw(text(512, 'LABELONE')), 'LVM2 physical volume'),
  raw('raw swap', () => buildRaw(text(4086, 'SWAPSPACE2')), 'Linux swap'),
  raw('raw disk of zeros', () => buildRaw(), undefined),
  raw('raw disk of ones', () => Buffer.alloc(1024 * 1024, 0xff), undefined),
  raw('raw disk of noise', () => noise(1024 * 1024, 42), undefined),
  raw('raw disk of one sector', () => Buffer.alloc(512), undefined),
  raw('raw disk that begins with text', () => buildRaw(text(0, 'This disk belongs to the lab.\n'.repeat(99))), undefined),
  raw('raw disk of which only the end is text', () => Buffer.concat([Buffer.alloc(512), Buffer.alloc(5120, 'text\n')]), undefined),
  raw('ISO that was declared as raw', () => buildIso(), 'ISO 9660', 'DISK_FORMAT_RAW'),
  raw('isohybrid that was declared as raw', () => buildIso(mbr), 'ISO 9660, MBR', 'DISK_FORMAT_RAW'),
];
