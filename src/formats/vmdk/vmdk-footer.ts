import type { ByteReader } from '../reading/byte-reader.ts';
import { Fields } from '../reading/fields.ts';
import { printable } from '../reading/printable.ts';
import { refuse } from '../refuse.ts';
import { hasAt } from '../reading/signature.ts';
import { grainDirectoryAtEnd, readVmdkHeader, vmdkHeaderAt } from './vmdk-header.ts';
import type { VmdkHeader } from './vmdk-header.ts';

const sectorBytes = 512;
const footerBytes = 3 * sectorBytes;
const footerMarker = 3;

/** The header copy of a footer, and where it begins. */
export interface VmdkFooter {
  readonly header: VmdkHeader;
  readonly offset: number;
}

/**
 * Reads the header copy at the end of a streamed VMDK (marker, header, end-of-stream marker: 512 bytes each), which
 * alone knows where the grain directory is. Everything else in it must equal the header, as readers differ in which
 * of the two they believe; only whether the disk was closed cleanly was not known yet when the header was written.
 */
export function readVmdkFooter(file: ByteReader, header: VmdkHeader): VmdkFooter {
  const { sizeBytes } = file;
  if (sizeBytes < 2 * footerBytes) refuse('truncated', 'The file ends before the footer that its header announces.', { offset: sizeBytes, value: sizeBytes });
  // qemu counts from the end in whole sectors, rounded up, so it would read another place.
  if (sizeBytes % sectorBytes !== 0) {
    refuse('vmdk.footer', `The stream has ${sizeBytes} bytes, no whole number of sectors.`, { offset: sizeBytes, value: sizeBytes });
  }
  const start = sizeBytes - footerBytes;
  const bytes = file.read(start, footerBytes);
  const fields = new Fields(bytes, 'VMDK footer', start);
  const offset = start + sectorBytes;
  checkMarker(fields, 0, footerMarker, start);
  if (!hasAt(bytes, sectorBytes, 'KDMV')) missing(offset, printable(fields.text(sectorBytes, 4)));
  checkMarker(fields, 2 * sectorBytes, 0, start);
  const footer = readVmdkHeader(fields.slice(sectorBytes, sectorBytes), 'VMDK footer', offset);
  for (const field of Object.keys(vmdkHeaderAt) as (keyof VmdkHeader)[]) {
    if (footer[field] === header[field] || field === 'grainDirectorySectors' || field === 'isUnclean') continue;
    // VirtualBox leaves the place of a redundant directory to the footer as well.
    if (field === 'redundantDirectorySectors' && header[field] === grainDirectoryAtEnd) continue;
    const value = printable(String(footer[field]));
    refuse('vmdk.footer', 'The footer contradicts the header.', { offset: offset + vmdkHeaderAt[field], value });
  }
  return { header: footer, offset };
}

/** Judges the marker at `at`. The end of the stream is all zeros; that of the footer may count its one sector or not. */
function checkMarker(fields: Fields, at: number, type: number, start: number): void {
  if (type === 0 && fields.u64le(at) !== 0n) missing(start + at, fields.u64le(at));
  if (fields.u32le(at + 8) !== 0) missing(start + at + 8, fields.u32le(at + 8));
  if (fields.u32le(at + 12) !== type) missing(start + at + 12, fields.u32le(at + 12));
}

function missing(offset: number, value: string | number | bigint): never {
  return refuse('vmdk.footer', 'The footer that the header announces is not there.', { offset, value });
}
