import { hasBootSignature, volumeOf } from './file-systems.ts';
import { hasIsoDescriptor, readIsoVolume } from '../iso/iso-volume.ts';
import { hasMasterBootRecord } from './mbr.ts';
import { hasAt } from '../reading/signature.ts';

/** The partition table at the beginning of a disk, by name; undefined where there is none. */
export function partitionTableOf(head: Uint8Array): 'GPT' | 'Apple partition map' | 'MBR' | 'BSD disklabel' | undefined {
  // At 4096 on disks with sectors of that size.
  if (hasAt(head, 512, 'EFI PART') || hasAt(head, 4096, 'EFI PART')) return 'GPT';
  if (hasAt(head, 0, 'ER') && hasAt(head, 512, 'PM')) return 'Apple partition map';
  if (hasMasterBootRecord(head)) return 'MBR';
  if (hasAt(head, 512, '\x57\x45\x56\x82')) return 'BSD disklabel';
  return undefined;
}

/** What a raw disk holds, as names such as `GPT` or `ext4 file system`; empty where nothing is recognised. */
export function rawContentOf(head: Uint8Array): readonly string[] {
  const names: string[] = [];
  if (hasIsoDescriptor(head)) names.push(readIsoVolume(head).isUdf ? 'UDF' : 'ISO 9660');
  const partitions = partitionTableOf(head);
  if (partitions !== undefined) return [...names, partitions];
  const volume = names.length === 0 ? volumeOf(head) : undefined;
  if (volume) return [volume.label];
  if (names.length === 0 && hasBootSignature(head)) names.push('boot sector');
  return names;
}
