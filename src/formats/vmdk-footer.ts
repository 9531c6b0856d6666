import type { ByteReader } from './byte-reader.ts';
import { Fields } from './fields.ts';
import { refuse } from './refuse.ts';
import { hasAt } from './signature.ts';
import { readVmdkHeader } from './vmdk-header.ts';
import type { VmdkHeader } from './vmdk-header.ts';

const footerBytes = 3 * 512;
const footerMarker = 3;

/**
 * Reads the header copy at the end of a streamed VMDK (marker, header, end-of-stream marker: 512 bytes each), which
 * alone knows where the grain directory is. Everything else in it must equal the header, as readers differ in which
 * of the two they believe.
 */
export function readVmdkFooter(file: ByteReader, header: VmdkHeader): VmdkHeader {
  if (file.sizeBytes < 2 * footerBytes) refuse('truncated', 'The file ends before the footer that its header announces.');
  const start = file.sizeBytes - footerBytes;
  const bytes = file.read(start, footerBytes);
  const fields = new Fields(bytes, 'VMDK footer', start);
  const offset = start.toString();
  const isMarked = fields.u32le(8) === 0 && fields.u32le(12) === footerMarker;
  const isEnded = fields.u64le(1024) === 0n && fields.u32le(1032) === 0 && fields.u32le(1036) === 0;
  if (!isMarked || !isEnded || !hasAt(bytes, 512, 'KDMV')) refuse('vmdk.footer', 'The footer that the header announces is not there.', { offset });
  const footer = readVmdkHeader(bytes.subarray(512, 1024), 'VMDK footer', start + 512);
  if (!equalButDirectory(footer, header)) refuse('vmdk.footer', 'The footer contradicts the header.', { offset });
  return footer;
}

function equalButDirectory(left: VmdkHeader, right: VmdkHeader): boolean {
  return (
    left.version === right.version &&
    left.flags === right.flags &&
    left.capacitySectors === right.capacitySectors &&
    left.grainSectors === right.grainSectors &&
    left.descriptorOffsetSectors === right.descriptorOffsetSectors &&
    left.descriptorSectors === right.descriptorSectors &&
    left.entriesPerTable === right.entriesPerTable &&
    left.redundantDirectorySectors === right.redundantDirectorySectors &&
    left.overheadSectors === right.overheadSectors &&
    left.compression === right.compression
  );
}
