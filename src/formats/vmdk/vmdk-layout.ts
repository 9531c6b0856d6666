import { ceilDivide, isInside } from '../reading/bounds.ts';
import { refuse } from '../refuse.ts';
import type { VmdkFooter } from './vmdk-footer.ts';
import { grainDirectoryEntries, usesRedundantDirectory, usesZeroGrains, vmdkHeaderAt, vmdkSectorBytes } from './vmdk-header.ts';
import type { VmdkHeader } from './vmdk-header.ts';

/** Most entries of a grain directory that qemu reads (block/vmdk.c, vmdk_add_extent): 128 MiB. */
const directoryEntryLimit = 32n * 1024n * 1024n;

/** Where the parts of a sparse extent stand in its file, in bytes; all of it inside the file. */
export interface VmdkLayout {
  readonly capacityBytes: bigint;
  readonly grainBytes: number;
  /** Grains of the guest's disk, of which the last one may be shorter. */
  readonly grains: number;
  readonly lastGrainBytes: number;
  readonly entriesPerTable: number;
  readonly tables: number;
  readonly descriptorEnd: number;
  readonly directoryOffset: number;
  /** Absent too where it is the same directory once more. */
  readonly redundantOffset: number | undefined;
  readonly isCompressed: boolean;
  readonly hasZeroGrains: boolean;
  /** Where the three sectors of the footer begin. With a footer, markers stand before directory and tables. */
  readonly footerOffset: number | undefined;
}

/**
 * The layout that `header` describes, which was checked. Where there is a footer, its header, which begins at `offset`, tells
 * the places of the directories.
 */
export function vmdkLayout(header: VmdkHeader, fileBytes: number, footer?: VmdkFooter): VmdkLayout {
  const entries = grainDirectoryEntries(header);
  if (entries > directoryEntryLimit) {
    refuse('vmdk.grain_directory', `The capacity of ${header.capacitySectors} sectors takes ${entries} grain tables, more than readers take.`, {
      offset: vmdkHeaderAt.capacitySectors,
      value: header.capacitySectors,
    });
  }
  const { header: counting, offset: headerOffset } = footer ?? { header, offset: 0 };
  const directory = counting.grainDirectorySectors;
  const directoryOffset = directoryPlace(directory, entries, fileBytes, headerOffset + vmdkHeaderAt.grainDirectorySectors);
  const redundant = (header.flags & usesRedundantDirectory) === 0 ? 0n : counting.redundantDirectorySectors;
  const isOne = redundant === 0n || redundant === directory;
  const redundantField = headerOffset + vmdkHeaderAt.redundantDirectorySectors;
  const redundantOffset = isOne ? undefined : directoryPlace(redundant, entries, fileBytes, redundantField);
  const grains = ceilDivide(header.capacitySectors, header.grainSectors);
  return {
    capacityBytes: header.capacitySectors * vmdkSectorBytes,
    grainBytes: Number(header.grainSectors * vmdkSectorBytes),
    grains: Number(grains),
    lastGrainBytes: Number((header.capacitySectors - (grains - 1n) * header.grainSectors) * vmdkSectorBytes),
    entriesPerTable: header.entriesPerTable,
    tables: Number(entries),
    descriptorEnd: Number((1n + header.descriptorSectors) * vmdkSectorBytes),
    directoryOffset,
    redundantOffset,
    isCompressed: header.compression !== 0,
    hasZeroGrains: (header.flags & usesZeroGrains) !== 0,
    footerOffset: footer === undefined ? undefined : footer.offset - Number(vmdkSectorBytes),
  };
}

function directoryPlace(sectors: bigint, entries: bigint, fileBytes: number, field: number): number {
  const offset = sectors * vmdkSectorBytes;
  if (sectors === 0n || !isInside(offset, entries * 4n, fileBytes)) {
    refuse('vmdk.grain_directory', `The grain directory at ${offset} is not inside the file.`, { offset: field, value: sectors });
  }
  return Number(offset);
}
