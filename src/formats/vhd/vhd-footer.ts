import { Fields } from '../reading/fields.ts';
import { printable } from '../reading/printable.ts';
import { refuse } from '../refuse.ts';

/** The length of a footer and of its copy at the beginning, in bytes. */
export const vhdFooterBytes = 512;

/** The largest disk of the format, 2040 GiB (qemu block/vpc.c). */
export const vhdLargestDiskBytes = 2040n * 1024n ** 3n;

/** The types of disk that are accepted. */
export const vhdDiskTypes = { fixed: 2, dynamic: 3 } as const;
const differencing = 4;

/** The fields that matter of a footer ("Virtual Hard Disk Image Format Specification" 1.0, Hard Disk Footer Format). */
export interface VhdFooter {
  readonly dataOffset: bigint;
  readonly creatorApp: string;
  readonly currentSizeBytes: bigint;
  readonly cylinders: number;
  readonly heads: number;
  readonly sectorsPerTrack: number;
  readonly diskType: number;
}

/** Where in a footer each field is. */
export const vhdFooterFields = {
  dataOffset: 16,
  creatorApp: 28,
  currentSizeBytes: 48,
  cylinders: 56,
  heads: 58,
  sectorsPerTrack: 59,
  diskType: 60,
} as const satisfies Readonly<Record<keyof VhdFooter, number>>;

/** Reads a footer and judges its checksum and type. `where` names it for the message, `offset` is its place in the file. */
export function readVhdFooter(sector: Uint8Array, where: string, offset: number): VhdFooter {
  const fields = new Fields(sector, where, offset);
  checkVhdChecksum(fields.slice(0, vhdFooterBytes), 64, where, offset);
  const at = vhdFooterFields;
  const footer: VhdFooter = {
    dataOffset: fields.u64be(at.dataOffset),
    creatorApp: fields.text(at.creatorApp, 4),
    currentSizeBytes: fields.u64be(at.currentSizeBytes),
    cylinders: fields.u16be(at.cylinders),
    heads: fields.u8(at.heads),
    sectorsPerTrack: fields.u8(at.sectorsPerTrack),
    diskType: fields.u32be(at.diskType),
  };
  const place = { offset: offset + at.diskType, value: footer.diskType };
  if (footer.diskType === differencing) refuse('vhd.differencing', 'The image is only the difference to a parent disk.', place);
  if (footer.diskType !== vhdDiskTypes.fixed && footer.diskType !== vhdDiskTypes.dynamic) {
    refuse('vhd.disk_type', `The disk type ${footer.diskType} is neither fixed nor dynamic.`, place);
  }
  return footer;
}

/** Judges the one's complement checksum at `at` of a footer or dynamic header. */
export function checkVhdChecksum(structure: Uint8Array, at: number, where: string, offset: number): void {
  const stated = new Fields(structure, where, offset).u32be(at);
  let sum = 0;
  structure.forEach((byte, index) => {
    if (index < at || index >= at + 4) sum += byte;
  });
  if (~sum >>> 0 !== stated) refuse('vhd.checksum', `The checksum of the ${where} is wrong.`, { offset: offset + at, value: stated });
}

/**
 * Creators that mean the size field; for all others the geometry counts, as qemu reads images (block/vpc.c). That Azure's
 * `wa` means it too, qemu 7.2 does not know yet.
 */
const sizeFieldCreators: readonly string[] = ['win ', 'qem2', 'd2v ', 'tap\0', 'CTXS', 'wa\0\0'];

/** The largest geometry, which stands for "see the size field". */
const largestGeometrySectors = 65535n * 16n * 255n;

/** The guest's disk as qemu would show it, and by which field: VirtualPC and Hyper-V never agreed on one. */
export function vhdVirtualSize(footer: VhdFooter): { readonly sizeBytes: bigint; readonly rule: 'geometry' | 'current_size' } {
  const sectors = BigInt(footer.cylinders) * BigInt(footer.heads) * BigInt(footer.sectorsPerTrack);
  if (sizeFieldCreators.includes(footer.creatorApp) || sectors === largestGeometrySectors) {
    return { sizeBytes: (footer.currentSizeBytes / 512n) * 512n, rule: 'current_size' };
  }
  return { sizeBytes: sectors * 512n, rule: 'geometry' };
}

/** The creator's name, fit to be shown. */
export function vhdCreatorName(footer: VhdFooter): string {
  return printable(footer.creatorApp.replaceAll('\0', ' '));
}
