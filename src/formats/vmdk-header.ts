import { ceilDivide, isPowerOfTwo } from './bounds.ts';
import { Fields } from './fields.ts';
import { refuse } from './refuse.ts';

/** VMDK counts in sectors of 512 bytes. */
export const vmdkSectorBytes = 512n;

/** The value of `grainDirectoryOffset` that means "see the footer". */
export const grainDirectoryAtEnd = 0xffff_ffff_ffff_ffffn;

/** The sparse extent header ("Virtual Disk Format 5.0", Hosted Sparse Extent Header); units as the file has them. */
export interface VmdkHeader {
  readonly version: number;
  readonly flags: number;
  readonly capacitySectors: bigint;
  readonly grainSectors: bigint;
  readonly descriptorOffsetSectors: bigint;
  readonly descriptorSectors: bigint;
  readonly entriesPerTable: number;
  readonly redundantDirectorySectors: bigint;
  readonly grainDirectorySectors: bigint;
  readonly overheadSectors: bigint;
  readonly isUnclean: boolean;
  readonly newlines: string;
  readonly compression: number;
}

/** Flag: the newline characters are there to be checked. */
const checkNewlines = 1;
/** Flag: the redundant grain directory is used. */
export const usesRedundantDirectory = 2;
const compressedGrains = 1 << 16;

const largestDescriptorSectors = 2048n;
const largestGrainSectors = 0x20_0000n;

/** Reads a sparse extent header, of the file itself or of its footer. */
export function readVmdkHeader(sector: Uint8Array, what = 'VMDK header', offset = 0): VmdkHeader {
  const fields = new Fields(sector, what, offset);
  return {
    version: fields.u32le(4),
    flags: fields.u32le(8),
    capacitySectors: fields.u64le(12),
    grainSectors: fields.u64le(20),
    descriptorOffsetSectors: fields.u64le(28),
    descriptorSectors: fields.u64le(36),
    entriesPerTable: fields.u32le(44),
    redundantDirectorySectors: fields.u64le(48),
    grainDirectorySectors: fields.u64le(56),
    overheadSectors: fields.u64le(64),
    isUnclean: fields.u8(72) !== 0,
    newlines: fields.text(73, 4),
    compression: fields.u16le(77),
  };
}

/** Judges what the header alone shows. */
export function checkVmdkHeader(header: VmdkHeader): void {
  const { version, flags, grainSectors, entriesPerTable } = header;
  if (version < 1 || version > 3) refuse('vmdk.version', `The VMDK version is ${version}.`, { value: version.toString() });
  if (flags & checkNewlines && header.newlines !== '\n \r\n') {
    refuse('vmdk.header', 'A transfer in text mode changed line ends inside the image.');
  }
  // qemu takes a sparse header of capacity 0 for a mere wrapper of a text descriptor, which may name any file.
  if (header.capacitySectors === 0n) refuse('vmdk.capacity', 'The header states a capacity of 0, which makes readers go by the descriptor alone.');
  if (header.compression > 1) {
    refuse('vmdk.compression', `The compression algorithm ${header.compression} is not known here.`, { value: header.compression.toString() });
  }
  if (flags & compressedGrains && header.compression === 0) refuse('vmdk.header', 'Grains are marked as compressed, but by no algorithm.');
  if (!isPowerOfTwo(grainSectors) || grainSectors < 8n || grainSectors > largestGrainSectors) {
    refuse('vmdk.grain', `The grain size of ${grainSectors} sectors is impossible.`, { value: grainSectors.toString() });
  }
  if (!isPowerOfTwo(entriesPerTable) || entriesPerTable > 512) {
    refuse('vmdk.grain', `Grain tables of ${entriesPerTable} entries are impossible.`, { value: entriesPerTable.toString() });
  }
  if (header.descriptorOffsetSectors === 0n) {
    refuse('vmdk.descriptor_missing', 'The file is one extent of a disk whose descriptor is in another file.');
  }
  if (header.descriptorOffsetSectors !== 1n || header.descriptorSectors < 1n || header.descriptorSectors > largestDescriptorSectors) {
    refuse('vmdk.descriptor', 'The descriptor is not at sector 1, or empty, or larger than 1 MiB.', {
      offset: (header.descriptorOffsetSectors * vmdkSectorBytes).toString(),
    });
  }
}

/** How many bytes the grain directory needs for the capacity; the header has been checked. */
export function grainDirectoryBytes({ capacitySectors, grainSectors, entriesPerTable }: VmdkHeader): bigint {
  return ceilDivide(capacitySectors, grainSectors * BigInt(entriesPerTable)) * 4n;
}
