import type { ByteReader } from '../reading/byte-reader.ts';
import type { EntryTable } from '../guest/entry-table.ts';
import { Fields } from '../reading/fields.ts';
import type { FileSpace } from '../guest/file-space.ts';
import { refuse } from '../refuse.ts';
import type { VmdkLayout } from './vmdk-layout.ts';
import { claimSectors } from './vmdk-space.ts';

const sectorBytes = 512;

/** A grain table that was read: its entries, and where they stand. */
export interface GrainTable {
  readonly fields: Fields;
  readonly offset: number;
}

/**
 * Reads the grain table that the directory names at `index`; undefined where none is, and the guest reads zeros. qemu reads
 * the primary tables only, others the redundant ones or either, so the two must be equal.
 */
export function readGrainTable(
  file: ByteReader,
  layout: VmdkLayout,
  index: number,
  directory: EntryTable,
  redundant: EntryTable | undefined,
  space: FileSpace | undefined,
): GrainTable | undefined {
  const primary = tableAt(file, layout, index, directory, space);
  if (redundant === undefined) return primary;
  const entry = redundant.at(index);
  if (primary === undefined || entry === 0) {
    if (primary === undefined && entry === 0) return undefined;
    return contradiction('The redundant grain directory has a grain table where the primary one has none, or the other way round.', redundant.offsetOf(index), entry);
  }
  if (entry === directory.at(index)) return primary;
  const copy = tableAt(file, layout, index, redundant, space);
  for (let at = 0; at < layout.entriesPerTable * 4; at += 4) {
    const value = copy?.fields.u32le(at) ?? 0;
    if (value !== primary.fields.u32le(at)) contradiction('A redundant grain table differs from the primary one.', entry * sectorBytes + at, value);
  }
  return primary;
}

function tableAt(file: ByteReader, layout: VmdkLayout, index: number, directory: EntryTable, space?: FileSpace): GrainTable | undefined {
  const entry = directory.at(index);
  if (entry === 0) return undefined;
  const seen = { offset: directory.offsetOf(index), value: entry };
  const offset = entry * sectorBytes;
  const lengthBytes = layout.entriesPerTable * 4;
  if (offset + lengthBytes > file.sizeBytes) {
    refuse('vmdk.grain_table', `The grain table at ${offset} is not inside the file.`, seen);
  }
  claimSectors(space, offset, lengthBytes, seen);
  return { fields: new Fields(file.read(offset, lengthBytes), 'VMDK grain table', offset), offset };
}

function contradiction(what: string, offset: number, value: number): never {
  return refuse('vmdk.redundant_tables', what, { offset, value });
}
