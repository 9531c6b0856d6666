import { printable } from '../reading/printable.ts';
import { refuse } from '../refuse.ts';

/** A line of a descriptor that names an extent; `offset` is where it begins in the file. */
export interface VmdkExtentLine {
  readonly sizeSectors: bigint;
  readonly type: string;
  readonly name: string;
  /** What follows the name: for other types than SPARSE a place in the other file. */
  readonly rest: string;
  readonly offset: number;
}

const extentLine = /^(?:RW|RDONLY|NOACCESS)\s+(\d{1,19})\s+([A-Za-z]\w*)(?:\s+"([^"]*)")?((?:\s+\d{1,19}|\s+partitionUUID\s+\S+|\s+device\s+\S+)*)$/;

/** The extent that a line names; undefined where it is a line of another kind. */
export function vmdkExtentOf(line: string, offset: number): VmdkExtentLine | undefined {
  const match = extentLine.exec(line);
  if (match === null) return undefined;
  const [, size = '0', type = '', name = '', rest = ''] = match;
  return { sizeSectors: BigInt(size), type: type.toUpperCase(), name, rest: rest.trim(), offset };
}

/** The one extent that a disk in one file has. `offset` is where the descriptor begins. */
export function checkVmdkExtent(extents: readonly VmdkExtentLine[], offset: number): VmdkExtentLine {
  const [extent, second] = extents;
  if (extent === undefined) return refuse('vmdk.descriptor', 'The descriptor names no extent.', { offset, value: 0 });
  if (second !== undefined) {
    refuse('vmdk.extents', `The disk is split into ${extents.length} extents.`, { offset: second.offset, value: extents.length });
  }
  if (extent.type !== 'SPARSE') {
    const value = printable(extent.type);
    refuse('vmdk.extent_type', `The extent is of type ${value}: its data would be read from another file.`, { offset: extent.offset, value });
  }
  if (extent.rest !== '') {
    const value = printable(extent.rest);
    refuse('vmdk.descriptor', `The extent is said to begin elsewhere: "${value}".`, { offset: extent.offset, value });
  }
  return extent;
}
