import { hasIsoDescriptor } from '../iso/iso-volume.ts';
import { hasAt } from '../reading/signature.ts';

/** What fills a disk or a partition. `name` is short, for facts; `label` reads well in a sentence. */
export interface Volume {
  readonly name: string;
  readonly label: string;
  readonly matches: (head: Uint8Array) => boolean;
}

/** So many first bytes of a disk or partition do the magics lie in. */
export const volumeHeadBytes = 129 * 512;

/** The sectors, counted from the beginning, that `volumeOf` looks at. No magic lies across the border of two. */
export const volumeSectors: readonly number[] = [0, 1, 2, 3, 7, 8, 15, 31, 64, 68, 72, 76, 80, 127, 128];

/** What fills a disk or partition that begins so, by its magic; undefined where nothing is recognised. */
export function volumeOf(head: Uint8Array): Volume | undefined {
  return volumes.find(({ matches }) => matches(head));
}

/** Whether the first sector ends like that of a disk or volume that a PC can start. */
export function hasBootSignature(head: Uint8Array): boolean {
  return hasAt(head, 510, '\x55\xaa');
}

/** The first sector of a FAT, exFAT, NTFS or BitLocker volume ends like a master boot record, but has no partition table. */
export function isVolumeBootRecord(head: Uint8Array): boolean {
  const startsWithJump = hasAt(head, 0, '\xeb') || hasAt(head, 0, '\xe9');
  const names =
    hasAt(head, 3, 'NTFS    ') || hasAt(head, 3, 'EXFAT   ') || hasAt(head, 3, '-FVE-FS-') || hasAt(head, 54, 'FAT') || hasAt(head, 82, 'FAT32   ');
  return startsWithJump && names && hasBootSignature(head);
}

const fileSystem = (name: string, matches: Volume['matches']): Volume => ({ name, label: `${name} file system`, matches });
const at = (name: string, offset: number, ...magics: readonly string[]): Volume =>
  fileSystem(name, (head) => magics.some((magic) => hasAt(head, offset, magic)));

/** The super block's magic, and a block size that is no nonsense (Linux Documentation/filesystems/ext4, "Super Block"). */
function isExt(head: Uint8Array): boolean {
  return hasAt(head, 1024 + 56, '\x53\xef') && hasAt(head, 1024 + 25, '\0\0\0');
}

/** 16 bits of a feature field of the ext super block; those that tell the versions apart are all in them. */
function extFeatures(head: Uint8Array, offset: number): number {
  return (head[1024 + offset] ?? 0) | ((head[1024 + offset + 1] ?? 0) << 8);
}

/** File systems, volume managers and encryption, as they begin a disk without a partition table, or a partition. */
const volumes: readonly Volume[] = [
  { name: 'LUKS', label: 'LUKS encrypted volume', matches: (head) => hasAt(head, 0, 'LUKS\xba\xbe') },
  { name: 'BitLocker', label: 'BitLocker volume', matches: (head) => isVolumeBootRecord(head) && hasAt(head, 3, '-FVE-FS-') },
  fileSystem('NTFS', (head) => isVolumeBootRecord(head) && hasAt(head, 3, 'NTFS')),
  fileSystem('exFAT', (head) => isVolumeBootRecord(head) && hasAt(head, 3, 'EXFAT')),
  fileSystem('FAT', isVolumeBootRecord),
  fileSystem('ext4', (head) => isExt(head) && (extFeatures(head, 96) & 0x2c0) !== 0),
  fileSystem('ext3', (head) => isExt(head) && (extFeatures(head, 92) & 0x4) !== 0),
  fileSystem('ext2', isExt),
  at('XFS', 0, 'XFSB'),
  at('btrfs', 64 * 1024 + 64, '_BHRfS_M'),
  { name: 'LVM2', label: 'LVM2 physical volume', matches: (head) => [0, 512, 1024, 1536].some((sector) => hasAt(head, sector, 'LABELONE')) },
  { name: 'swap', label: 'Linux swap', matches: (head) => [4096, 8192, 16384, 65536].some((page) => hasAt(head, page - 10, 'SWAPSPACE2')) },
  { name: 'RAID', label: 'Linux RAID member', matches: (head) => hasAt(head, 0, '\xfc\x4e\x2b\xa9') || hasAt(head, 4096, '\xfc\x4e\x2b\xa9') },
  at('F2FS', 1024, '\x10\x20\xf5\xf2'),
  at('EROFS', 1024, '\xe2\xe1\xf5\xe0'),
  at('HFS+', 1024, 'H+\0', 'HX\0'),
  { name: 'APFS', label: 'APFS container', matches: (head) => hasAt(head, 32, 'NXSB') },
  at('JFS', 32 * 1024, 'JFS1'),
  at('ReiserFS', 64 * 1024 + 52, 'ReIsEr'),
  at('SquashFS', 0, 'hsqs'),
  fileSystem('ISO 9660', (head) => hasAt(head, 32 * 1024 + 1, 'CD001')),
  fileSystem('UDF', hasIsoDescriptor),
];
