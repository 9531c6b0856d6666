import { hasBootSignature, isVolumeBootRecord } from './file-systems.ts';
import { Fields } from '../reading/fields.ts';

const sectorBytes = 512;
const tableOffset = 446;
const partitionTypeUnused = 0;
const partitionTypeProtective = 0xee;
const partitionTypesExtended: readonly number[] = [0x05, 0x0f, 0x85];

/** An entry of a master or extended boot record that is in use; places in bytes, as the record counts them. */
export interface MbrEntry {
  readonly kind: 'primary' | 'extended' | 'protective';
  readonly startByte: number;
  readonly lengthBytes: number;
}

/** UEFI specification 2.10, 5.2.1: four entries of 16 bytes; one at least in use, and no boot flag but 0 and 0x80. */
export function hasMasterBootRecord(head: Uint8Array): boolean {
  if (!hasBootSignature(head) || isVolumeBootRecord(head)) return false;
  const entries = [0, 1, 2, 3].map((index) => head.subarray(tableOffset + index * 16, tableOffset + (index + 1) * 16));
  const isPlausible = entries.every((entry) => entry[0] === 0 || entry[0] === 0x80);
  return isPlausible && entries.some((entry) => entry[4] !== partitionTypeUnused && entry.subarray(12).some((byte) => byte !== 0));
}

/** The entries in use of a master or extended boot record; none where the sector does not end like one. */
export function readMbrEntries(sector: Uint8Array): readonly MbrEntry[] {
  if (!hasBootSignature(sector)) return [];
  const fields = new Fields(sector, 'master boot record');
  return [0, 1, 2, 3].flatMap((index) => {
    const at = tableOffset + index * 16;
    const type = fields.u8(at + 4);
    const lengthBytes = fields.u32le(at + 12) * sectorBytes;
    if (type === partitionTypeUnused || lengthBytes === 0) return [];
    const kind = type === partitionTypeProtective ? 'protective' : partitionTypesExtended.includes(type) ? 'extended' : 'primary';
    return [{ kind, startByte: fields.u32le(at + 8) * sectorBytes, lengthBytes }];
  });
}
