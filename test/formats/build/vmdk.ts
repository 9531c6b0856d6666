import { deflateSync } from 'node:zlib';

import { changed } from './change.ts';
import type { Change } from './change.ts';
import { noise } from './noise.ts';

const sectorBytes = 512;
const descriptorSectors = 20;
const directorySector = 1 + descriptorSectors;
const capacitySectors = 2048;
const grainBytes = 128 * sectorBytes;

/** The descriptor of a VMDK of 1 MiB; each line may be replaced, or lines be added. */
export function descriptorText(createType: string, lines: Readonly<{ extent?: string; more?: string }> = {}): string {
  return [
    '# Disk DescriptorFile',
    'version=1',
    'CID=fffffffe',
    ...(lines.more?.includes('parentCID') ? [] : ['parentCID=ffffffff']),
    `createType="${createType}"`,
    '',
    '# Extent description',
    lines.extent ?? `RW ${capacitySectors} SPARSE "disk.vmdk"`,
    '',
    '# The Disk Data Base',
    '#DDB',
    '',
    'ddb.virtualHWVersion = "4"',
    'ddb.adapterType = "ide"',
    ...(lines.more === undefined ? [] : [lines.more]),
    '',
  ].join('\n');
}

function header(flags: number, directory: bigint): Buffer {
  const sector = Buffer.alloc(sectorBytes);
  sector.write('KDMV', 0, 'latin1');
  sector.writeUInt32LE(flags & 0x10000 ? 3 : 1, 4);
  sector.writeUInt32LE(flags, 8);
  sector.writeBigUInt64LE(BigInt(capacitySectors), 12);
  sector.writeBigUInt64LE(128n, 20);
  sector.writeBigUInt64LE(1n, 28);
  sector.writeBigUInt64LE(BigInt(descriptorSectors), 36);
  sector.writeUInt32LE(512, 44);
  sector.writeBigUInt64LE(directory, 56);
  sector.writeBigUInt64LE(flags & 0x10000 ? BigInt(directorySector) : 128n, 64);
  sector.write('\n \r\n', 73, 'latin1');
  sector.writeUInt16LE(flags & 0x10000 ? 1 : 0, 77);
  return sector;
}

function describe(image: Buffer, descriptor: string): void {
  image.fill(0, sectorBytes, directorySector * sectorBytes);
  image.write(descriptor, sectorBytes, 'latin1');
}

/** Puts another descriptor into an image. */
export const withDescriptor = (descriptor: string): Change => (image) => describe(image, descriptor);

/** An empty monolithicSparse VMDK of 1 MiB: header, descriptor, one grain directory, one grain table. */
export function buildSparseVmdk(...changes: readonly Change[]): Buffer {
  const image = Buffer.alloc(128 * sectorBytes);
  header(1, BigInt(directorySector)).copy(image);
  describe(image, descriptorText('monolithicSparse'));
  image.writeUInt32LE(directorySector + 1, directorySector * sectorBytes);
  return changed(image, ...changes);
}

/** Numbers of the grains that the builders of disks with data give the guest, of the sixteen that it has. */
export const storedGrains = [0, 1, 15] as const;

/** What the guest reads of the stored grain. */
export const grainData = (grain: number): Buffer => noise(grainBytes, 100 + grain);

/** The guest's whole disk. */
export function guestDisk(): Buffer {
  const disk = Buffer.alloc(capacitySectors * sectorBytes);
  for (const grain of storedGrains) grainData(grain).copy(disk, grain * grainBytes);
  return disk;
}

/** Where things stand in what `buildFullSparseVmdk` makes. */
export const sparsePlaces = {
  directory: directorySector * sectorBytes,
  table: (directorySector + 1) * sectorBytes,
  redundantDirectory: (directorySector + 5) * sectorBytes,
  redundantTable: (directorySector + 6) * sectorBytes,
  firstGrainSector: 128,
} as const;

/** A monolithicSparse VMDK with data, and with redundant tables, as VMware and qemu write it. */
export function buildFullSparseVmdk(...changes: readonly Change[]): Buffer {
  const { directory, table, redundantDirectory, redundantTable, firstGrainSector } = sparsePlaces;
  const image = Buffer.alloc((firstGrainSector + storedGrains.length * 128) * sectorBytes);
  header(3, BigInt(directorySector)).copy(image);
  image.writeBigUInt64LE(BigInt(redundantDirectory / sectorBytes), 48);
  describe(image, descriptorText('monolithicSparse'));
  image.writeUInt32LE(table / sectorBytes, directory);
  image.writeUInt32LE(redundantTable / sectorBytes, redundantDirectory);
  for (const [index, grain] of storedGrains.entries()) {
    const sector = firstGrainSector + index * 128;
    image.writeUInt32LE(sector, table + grain * 4);
    image.writeUInt32LE(sector, redundantTable + grain * 4);
    grainData(grain).copy(image, sector * sectorBytes);
  }
  return changed(image, ...changes);
}

/** Where things stand in a stream. */
export interface StreamPlaces {
  /** The marker of each stored grain. */
  readonly grains: readonly number[];
  readonly table: number;
  readonly directory: number;
  /** The header copy in the footer. */
  readonly footer: number;
}

function marker(value: number, type: number): Buffer {
  const sector = Buffer.alloc(sectorBytes);
  sector.writeBigUInt64LE(BigInt(value), 0);
  sector.writeUInt32LE(type, 12);
  return sector;
}

function compressedGrain(grain: number): Buffer {
  const data = deflateSync(grainData(grain));
  const bytes = Buffer.alloc(Math.ceil((12 + data.length) / sectorBytes) * sectorBytes);
  bytes.writeBigUInt64LE(BigInt(grain * 128), 0);
  bytes.writeUInt32LE(data.length, 8);
  data.copy(bytes, 12);
  return bytes;
}

function stream(grains: readonly number[]): { readonly image: Buffer; readonly places: StreamPlaces } {
  const table = Buffer.alloc(4 * sectorBytes);
  const head: Buffer = Buffer.alloc(directorySector * sectorBytes);
  header(0x30001, 0xffff_ffff_ffff_ffffn).copy(head);
  describe(head, descriptorText('streamOptimized'));
  const parts: Buffer[] = [head];
  let end = head.length;
  const places: number[] = [];
  for (const grain of grains) {
    const bytes = compressedGrain(grain);
    table.writeUInt32LE(end / sectorBytes, grain * 4);
    places.push(end);
    parts.push(bytes);
    end += bytes.length;
  }
  const tableOffset = end + sectorBytes;
  const directoryOffset = tableOffset + table.length + sectorBytes;
  const directory = Buffer.alloc(sectorBytes);
  directory.writeUInt32LE(tableOffset / sectorBytes, 0);
  parts.push(marker(4, 1), table, marker(1, 2), directory);
  parts.push(marker(1, 3), header(0x30001, BigInt(directoryOffset / sectorBytes)), marker(0, 0));
  const footer = directoryOffset + 2 * sectorBytes;
  return { image: Buffer.concat(parts), places: { grains: places, table: tableOffset, directory: directoryOffset, footer } };
}

/** Where the footer's header copy stands in what `buildStreamedVmdk` makes. */
export const footerOffset = stream([]).places.footer;

/** Where things stand in what `buildFullStreamedVmdk` makes. */
export const streamPlaces = stream(storedGrains).places;

/**
 * An empty streamOptimized VMDK of 1 MiB as a stream writer leaves it: the directory's place stands in the footer only.
 * Header, descriptor, marked grain table, marked directory, footer with its marker, end-of-stream marker.
 */
export function buildStreamedVmdk(...changes: readonly Change[]): Buffer {
  return changed(stream([]).image, ...changes);
}

/** A stream with data. */
export function buildFullStreamedVmdk(...changes: readonly Change[]): Buffer {
  return changed(stream(storedGrains).image, ...changes);
}
