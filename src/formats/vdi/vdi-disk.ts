import type { ByteReader } from '../reading/byte-reader.ts';
import { EntryTable } from '../guest/entry-table.ts';
import type { Extent } from '../guest/extent.ts';
import type { FileSpace } from '../guest/file-space.ts';
import type { GuestDisk } from '../guest/guest-disk.ts';
import { joinedExtent } from '../guest/joined-extent.ts';
import { refuse } from '../refuse.ts';
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
  const { tableOffset, blocks } = header;
  claim(space, 0, vdiHeaderBytes, { offset: 0, value: vdiHeaderBytes });
  claim(space, tableOffset, blocks * 4, { offset: vdiHeaderAt.tableOffset, value: tableOffset });
  const table = new EntryTable(file, 'VDI block table', tableOffset, blocks);
  let pending: Extent | undefined;
  for (let index = 0; index * vdiBlockBytes < sizeBytes; index += 1) {
    const lengthBytes = Math.min(vdiBlockBytes, sizeBytes - index * vdiBlockBytes);
    const extent = extentOf(file, header, { value: table.at(index), offset: table.offsetOf(index) }, lengthBytes, space);
    const joined = joinedExtent(pending, extent);
    if (pending && !joined) yield pending;
    pending = joined ?? extent;
  }
  if (pending) yield pending;
}

/** A number that gives out a part of the file, and where it stands. */
interface Entry {
  readonly value: number;
  readonly offset: number;
}

function extentOf(file: ByteReader, header: VdiHeader, entry: Entry, lengthBytes: number, space: FileSpace | undefined): Extent {
  const { value: block } = entry;
  if (block >= discardedBlock) return { kind: 'zero', lengthBytes };
  const { dataOffset, blocksAllocated } = header;
  if (block >= blocksAllocated) refuse('vdi.block_entry', `The block ${block} is none of the ${blocksAllocated} in use.`, { ...entry });
  const offset = dataOffset + block * vdiBlockBytes;
  // qemu would read zeros behind the end of the file, others fail. What the guest does not see may be missing.
  if (offset + lengthBytes > file.sizeBytes) refuse('vdi.block_entry', `The file ends inside the block at ${offset}.`, { ...entry });
  claim(space, offset, vdiBlockBytes, entry);
  return { kind: 'stored', lengthBytes, offset };
}

function claim(space: FileSpace | undefined, offset: number, lengthBytes: number, seen: Entry): void {
  if (space === undefined || space.claim(offset, lengthBytes)) return;
  refuse('vdi.overlap', `The ${lengthBytes} bytes at ${offset} are in use for something else as well.`, { ...seen });
}
