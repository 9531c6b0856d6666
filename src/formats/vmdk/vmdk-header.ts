import { ceilDivide, isPowerOfTwo } from '../reading/bounds.ts';
import { Fields } from '../reading/fields.ts';
import { refuse } from '../refuse.ts';

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

/** Where each field stands in the header. */
export const vmdkHeaderAt: Readonly<Record<keyof VmdkHeader, number>> = {
  version: 4,
  flags: 8,
  capacitySectors: 12,
  grainSectors: 20,
  descriptorOffsetSectors: 28,
  descriptorSectors: 36,
  entriesPerTable: 44,
  redundantDirectorySectors: 48,
  grainDirectorySectors: 56,
  overheadSectors: 64,
  isUnclean: 72,
  newlines: 73,
  compression: 77,
};

/** Flag: the newline characters are there to be checked. */
const checkNewlines = 1;
/** Flag: the redundant grain directory is used. */
export const usesRedundantDirectory = 2;
/** Flag: 1 in a grain table stands for a grain of zeros. */
export const usesZeroGrains = 4;
const compressedGrains = 1 << 16;
const markedGrains = 1 << 17;

const largestDescriptorSectors = 2048n;
const largestGrainSectors = 0x20_0000n;
/** A compressed grain is decoded as a whole, so it is bounded like the clusters of a qcow2: 2 MiB. Usual are 64 KiB. */
const largestCompressedGrainSectors = 4096n;

/** Reads a sparse extent header, of the file itself or of its footer. */
export function readVmdkHeader(sector: Uint8Array, what = 'VMDK header', offset = 0): VmdkHeader {
  const fields = new Fields(sector, what, offset);
  const at = vmdkHeaderAt;
  return {
    version: fields.u32le(at.version),
    flags: fields.u32le(at.flags),
    capacitySectors: fields.u64le(at.capacitySectors),
    grainSectors: fields.u64le(at.grainSectors),
    descriptorOffsetSectors: fields.u64le(at.descriptorOffsetSectors),
    descriptorSectors: fields.u64le(at.descriptorSectors),
    entriesPerTable: fields.u32le(at.entriesPerTable),
    redundantDirectorySectors: fields.u64le(at.redundantDirectorySectors),
    grainDirectorySectors: fields.u64le(at.grainDirectorySectors),
    overheadSectors: fields.u64le(at.overheadSectors),
    isUnclean: fields.u8(at.isUnclean) !== 0,
    newlines: fields.text(at.newlines, 4),
    compression: fields.u16le(at.compression),
  };
}

type Seen = Readonly<{ offset: number; value: string }>;

/** Judges what the header alone shows. */
export function checkVmdkHeader(header: VmdkHeader): void {
  const { version, flags, grainSectors, entriesPerTable } = header;
  const seen = (field: keyof VmdkHeader): Seen => ({ offset: vmdkHeaderAt[field], value: String(header[field]) });
  if (version < 1 || version > 3) refuse('vmdk.version', `The VMDK version is ${version}.`, seen('version'));
  if (flags & checkNewlines && header.newlines !== '\n \r\n') {
    const value = Buffer.from(header.newlines, 'latin1').toString('hex');
    refuse('vmdk.header', 'A transfer in text mode changed line ends inside the image.', { offset: vmdkHeaderAt.newlines, value });
  }
  // qemu takes a sparse header of capacity 0 for a mere wrapper of a text descriptor, which may name any file.
  if (header.capacitySectors === 0n) {
    refuse('vmdk.capacity', 'The header states a capacity of 0, which makes readers go by the descriptor alone.', seen('capacitySectors'));
  }
  if (!isPowerOfTwo(grainSectors) || grainSectors < 8n || grainSectors > largestGrainSectors) {
    refuse('vmdk.grain', `The grain size of ${grainSectors} sectors is impossible.`, seen('grainSectors'));
  }
  if (!isPowerOfTwo(entriesPerTable) || entriesPerTable > 512) {
    refuse('vmdk.grain', `Grain tables of ${entriesPerTable} entries are impossible.`, seen('entriesPerTable'));
  }
  checkCompression(header, seen);
  if (header.descriptorOffsetSectors === 0n) {
    refuse('vmdk.descriptor_missing', 'The file is one extent of a disk whose descriptor is in another file.', seen('descriptorOffsetSectors'));
  }
  if (header.descriptorOffsetSectors !== 1n) refuse('vmdk.descriptor', 'The descriptor is not at sector 1.', seen('descriptorOffsetSectors'));
  if (header.descriptorSectors < 1n || header.descriptorSectors > largestDescriptorSectors) {
    refuse('vmdk.descriptor', 'The descriptor is empty, or larger than 1 MiB.', seen('descriptorSectors'));
  }
}

/** qemu goes by the algorithm, other readers by the flags, and those who read a stream by its markers: they must agree. */
function checkCompression(header: VmdkHeader, seen: (field: keyof VmdkHeader) => Seen): void {
  const { flags, compression, grainSectors } = header;
  if (compression > 1) refuse('vmdk.compression', `The compression algorithm ${compression} is not known here.`, seen('compression'));
  const expected = compression === 0 ? 0 : compressedGrains | markedGrains;
  if ((flags & (compressedGrains | markedGrains)) !== expected) {
    const what = compression === 0 ? 'Grains are marked as compressed, but by no algorithm.' : 'Grains are compressed, but not marked as the flags say.';
    refuse('vmdk.header', what, seen('flags'));
  }
  if (compression === 0 && header.grainDirectorySectors === grainDirectoryAtEnd) {
    refuse('vmdk.header', 'A stream must be compressed, and this one is not.', seen('grainDirectorySectors'));
  }
  if (compression !== 0 && grainSectors > largestCompressedGrainSectors) {
    refuse('vmdk.grain', `Compressed grains of ${grainSectors} sectors are too large to be decoded.`, seen('grainSectors'));
  }
}

/** How many grain tables the capacity needs; the header has been checked. */
export function grainDirectoryEntries({ capacitySectors, grainSectors, entriesPerTable }: VmdkHeader): bigint {
  return ceilDivide(capacitySectors, grainSectors * BigInt(entriesPerTable));
}
