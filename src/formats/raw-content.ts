import { hasIsoDescriptor, readIsoVolume } from './iso-volume.ts';
import { hasAt } from './signature.ts';

const tableOffset = 446;
const partitionTypeUnused = 0;

/** The partition table at the beginning of a disk, by name; undefined where there is none. */
export function partitionTableOf(head: Uint8Array): string | undefined {
  // At 4096 on disks with sectors of that size.
  if (hasAt(head, 512, 'EFI PART') || hasAt(head, 4096, 'EFI PART')) return 'GPT';
  if (hasAt(head, 0, 'ER') && hasAt(head, 512, 'PM')) return 'Apple partition map';
  if (!isVolumeBootRecord(head) && hasMasterBootRecord(head)) return 'MBR';
  if (hasAt(head, 512, '\x57\x45\x56\x82')) return 'BSD disklabel';
  return undefined;
}

/** What a raw disk holds, as names such as `GPT` or `ext4 file system`; empty where nothing is recognised. */
export function rawContentOf(head: Uint8Array): readonly string[] {
  const names: string[] = [];
  if (hasIsoDescriptor(head)) names.push(readIsoVolume(head).isUdf ? 'UDF' : 'ISO 9660');
  const partitions = partitionTableOf(head);
  if (partitions !== undefined) return [...names, partitions];
  const volume = volumes.find(({ matches }) => matches(head));
  if (volume) return [...names, volume.name];
  if (names.length === 0 && hasBootSignature(head)) names.push('boot sector');
  return names;
}

function hasBootSignature(head: Uint8Array): boolean {
  return hasAt(head, 510, '\x55\xaa');
}

/** The first sector of a FAT, exFAT or NTFS volume ends like a master boot record, but has no partition table. */
function isVolumeBootRecord(head: Uint8Array): boolean {
  const startsWithJump = hasAt(head, 0, '\xeb') || hasAt(head, 0, '\xe9');
  const names = hasAt(head, 3, 'NTFS    ') || hasAt(head, 3, 'EXFAT   ') || hasAt(head, 54, 'FAT') || hasAt(head, 82, 'FAT32   ');
  return startsWithJump && names && hasBootSignature(head);
}

/** UEFI specification 2.10, 5.2.1: four entries of 16 bytes; one at least in use, and no boot flag but 0 and 0x80. */
function hasMasterBootRecord(head: Uint8Array): boolean {
  if (!hasBootSignature(head)) return false;
  const entries = [0, 1, 2, 3].map((index) => head.subarray(tableOffset + index * 16, tableOffset + (index + 1) * 16));
  const isPlausible = entries.every((entry) => entry[0] === 0 || entry[0] === 0x80);
  return isPlausible && entries.some((entry) => entry[4] !== partitionTypeUnused && entry.subarray(12).some((byte) => byte !== 0));
}

interface Volume {
  readonly name: string;
  readonly matches: (head: Uint8Array) => boolean;
}

const at = (name: string, offset: number, magic: string): Volume => ({ name, matches: (head) => hasAt(head, offset, magic) });

/** The super block's magic, and a block size that is no nonsense (Linux Documentation/filesystems/ext4, "Super Block"). */
function isExt(head: Uint8Array): boolean {
  return hasAt(head, 1024 + 56, '\x53\xef') && hasAt(head, 1024 + 25, '\0\0\0');
}

/** 16 bits of a feature field of the ext super block; those that tell the versions apart are all in them. */
function extFeatures(head: Uint8Array, offset: number): number {
  return (head[1024 + offset] ?? 0) | ((head[1024 + offset + 1] ?? 0) << 8);
}

/** File systems and volume managers that fill a disk without a partition table. */
const volumes: readonly Volume[] = [
  { name: 'NTFS file system', matches: (head) => isVolumeBootRecord(head) && hasAt(head, 3, 'NTFS') },
  { name: 'exFAT file system', matches: (head) => isVolumeBootRecord(head) && hasAt(head, 3, 'EXFAT') },
  { name: 'FAT file system', matches: isVolumeBootRecord },
  { name: 'ext4 file system', matches: (head) => isExt(head) && (extFeatures(head, 96) & 0x2c0) !== 0 },
  { name: 'ext3 file system', matches: (head) => isExt(head) && (extFeatures(head, 92) & 0x4) !== 0 },
  { name: 'ext2 file system', matches: isExt },
  at('XFS file system', 0, 'XFSB'),
  at('btrfs file system', 64 * 1024 + 64, '_BHRfS_M'),
  { name: 'LVM2 physical volume', matches: (head) => [0, 512, 1024, 1536].some((sector) => hasAt(head, sector, 'LABELONE')) },
  { name: 'Linux swap', matches: (head) => [4096, 8192, 16384, 65536].some((page) => hasAt(head, page - 10, 'SWAPSPACE2')) },
  at('Linux RAID member', 4096, '\xfc\x4e\x2b\xa9'),
  at('F2FS file system', 1024, '\x10\x20\xf5\xf2'),
  at('EROFS file system', 1024, '\xe2\xe1\xf5\xe0'),
  at('HFS+ file system', 1024, 'H+\0'),
  at('HFS+ file system', 1024, 'HX\0'),
  at('APFS container', 32, 'NXSB'),
  at('JFS file system', 32 * 1024, 'JFS1'),
  at('ReiserFS file system', 64 * 1024 + 52, 'ReIsEr'),
];
