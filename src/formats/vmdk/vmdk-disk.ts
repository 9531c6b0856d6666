import type { ByteReader } from '../reading/byte-reader.ts';
import { EntryTable } from '../guest/entry-table.ts';
import type { Extent } from '../guest/extent.ts';
import type { FileSpace } from '../guest/file-space.ts';
import type { GuestDisk } from '../guest/guest-disk.ts';
import { joinedExtent } from '../guest/joined-extent.ts';
import { walkGrains } from './vmdk-grains.ts';
import type { VmdkLayout } from './vmdk-layout.ts';
import { checkMetadataMarker, directoryMarker, tableMarker } from './vmdk-markers.ts';
import { claimSectors } from './vmdk-space.ts';
import { readGrainTable } from './vmdk-tables.ts';

const sectorBytes = 512;

/** The disk of a sparse or streamed extent ("Virtual Disk Format 5.0", Grain Directory and Grain Table). */
export function vmdkDisk(file: ByteReader, layout: VmdkLayout): GuestDisk {
  return { sizeBytes: layout.capacityBytes, unitBytes: sectorBytes, walk: (space) => walk(file, layout, space) };
}

function* walk(file: ByteReader, layout: VmdkLayout, space: FileSpace | undefined): Generator<Extent, void, undefined> {
  const { directoryOffset, redundantOffset, footerOffset, entriesPerTable, grains, tables } = layout;
  claimSectors(space, 0, layout.descriptorEnd, { offset: 0, value: layout.descriptorEnd });
  if (footerOffset !== undefined) {
    claimSectors(space, footerOffset, 3 * sectorBytes, { offset: footerOffset, value: footerOffset });
    checkMetadataMarker(file, directoryOffset, tables * 4, directoryMarker, space);
  }
  claimSectors(space, directoryOffset, tables * 4, { offset: directoryOffset, value: directoryOffset });
  const directory = new EntryTable(file, 'VMDK grain directory', directoryOffset, tables);
  let redundant: EntryTable | undefined;
  if (redundantOffset !== undefined) {
    claimSectors(space, redundantOffset, tables * 4, { offset: redundantOffset, value: redundantOffset });
    redundant = new EntryTable(file, 'redundant VMDK grain directory', redundantOffset, tables);
  }
  let pending: Extent | undefined;
  for (let index = 0; index < tables; index += 1) {
    const first = index * entriesPerTable;
    const count = Math.min(entriesPerTable, grains - first);
    const table = readGrainTable(file, layout, index, directory, redundant, space);
    if (table === undefined) {
      const last = first + count === grains ? layout.lastGrainBytes : layout.grainBytes;
      const extent: Extent = { kind: 'zero', lengthBytes: (count - 1) * layout.grainBytes + last };
      const joined = joinedExtent(pending, extent);
      if (pending && !joined) yield pending;
      pending = joined ?? extent;
    } else {
      if (footerOffset !== undefined) checkMetadataMarker(file, table.offset, entriesPerTable * 4, tableMarker, space);
      if (pending) yield pending;
      pending = undefined;
      yield* walkGrains(file, layout, table, first, count, space);
    }
  }
  if (pending) yield pending;
}
