import { changed } from './change.ts';
import type { Change } from './change.ts';

const sectorBytes = 512;
const descriptorSectors = 20;
const directorySector = 1 + descriptorSectors;
const capacitySectors = 2048;

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

/** Where the footer's header copy stands in what `buildStreamedVmdk` makes. */
export const footerOffset = (directorySector + 7) * sectorBytes;

/**
 * An empty streamOptimized VMDK of 1 MiB as a stream writer leaves it: the directory's place stands in the footer only.
 * Sectors: header, descriptor, grain table (4), directory (1), footer marker, footer, end-of-stream marker.
 */
export function buildStreamedVmdk(...changes: readonly Change[]): Buffer {
  const image = Buffer.alloc((directorySector + 9) * sectorBytes);
  const directory = directorySector + 5;
  header(0x30001, 0xffff_ffff_ffff_ffffn).copy(image);
  describe(image, descriptorText('streamOptimized'));
  image.writeUInt32LE(directorySector, directory * sectorBytes);
  image.writeBigUInt64LE(1n, footerOffset - sectorBytes);
  image.writeUInt32LE(3, footerOffset - sectorBytes + 12);
  header(0x30001, BigInt(directory)).copy(image, footerOffset);
  return changed(image, ...changes);
}
