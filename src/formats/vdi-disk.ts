import { isInside } from './bounds.ts';
import type { ByteReader } from './byte-reader.ts';
import { EntryTable } from './entry-table.ts';
import { ExtentRun } from './extent-run.ts';
import type { Extent } from './extent.ts';
import type { FileSpace } from './file-space.ts';
import type { GuestDisk } from './guest-disk.ts';
import { refuse } from './refuse.ts';
import type { RefusalDetails } from './refuse.ts';
import { vdiBlockBytes, vdiHeaderAt, vdiHeaderBytes } from './vdi-header.ts';
import type { VdiHeader } from './vdi-header.ts';

/** From here on an entry is no number of a block: discarded and never allocated, both of which read as zeros. */
const discardedBlock = 0xffff_fffe;

/** The disk of a VDI whose header was checked: `sizeBytes` of it, by the block table (VirtualBox Storage/VDICore.h). */
export function vdiDisk(file: ByteReader, header: VdiHeader, sizeBytes: bigint): GuestDisk {
  const places = header.tableOffset | header.dataOffset | vdiBlockBytes;
  return {
    sizeBytes,
    // Table and data begin at multiples of it, and blocks follow each other: the lowest bit that is set in any of them.
    unitBytes: places & -places,
    walk: (space) => walk(file, header, Number(sizeBytes), space),
  };
}

function* walk(file: ByteReader, header: VdiHeader, sizeBytes: number, space: FileSpace | undefined): Generator<Extent, void, undefined> {
  const { tableOffset, dataOffset, blocks, blocksAllocated } = header;
  claim(space, 0, vdiHeaderBytes, { offset: 0, value: vdiHeaderBytes });
  claim(space, tableOffset, blocks * 4, { offset: vdiHeaderAt.tableOffset, value: tableOffset });
  const table = new EntryTable(file, 'VDI block table', tableOffset, blocks);
  const run = new ExtentRun();
  for (let index = 0; index * vdiBlockBytes < sizeBytes; index += 1) {
    const lengthBytes = Math.min(vdiBlockBytes, sizeBytes - index * vdiBlockBytes);
    const entry = table.at(index);
    let place: number | undefined;
    if (entry < discardedBlock) {
      const seen = { offset: table.offsetOf(index), value: entry };
      if (entry >= blocksAllocated) refuse('vdi.block_entry', `The block ${entry} is none of the ${blocksAllocated} in use.`, seen);
      place = dataOffset + entry * vdiBlockBytes;
      // qemu would read zeros behind the end of the file, others fail. What the guest does not see may be missing.
      if (!isInside(BigInt(place), BigInt(lengthBytes), file.sizeBytes)) refuse('vdi.block_entry', `The file ends inside the block at ${place}.`, seen);
      claim(space, place, vdiBlockBytes, seen);
    }
    const before = run.add(lengthBytes, place);
    if (before !== undefined) yield before;
  }
  const last = run.end();
  if (last !== undefined) yield last;
}

function claim(space: FileSpace | undefined, offset: number, lengthBytes: number, seen: RefusalDetails): void {
  if (space === undefined || space.claim(offset, lengthBytes)) return;
  refuse('vdi.overlap', `The ${lengthBytes} bytes at ${offset} are in use for something else as well.`, seen);
}
