import type { ByteReader } from '../reading/byte-reader.ts';
import type { FormatInspector } from '../format-inspector.ts';
import { openQcow2Disk } from './qcow2-disk.ts';
import { walkQcow2Extensions } from './qcow2-extensions.ts';
import type { Qcow2Extensions } from './qcow2-extensions.ts';
import { checkQcow2Features, hasExtendedL2, qcow2Compressions } from './qcow2-features.ts';
import { qcow2Fields, readQcow2Header } from './qcow2-header.ts';
import type { Qcow2Header } from './qcow2-header.ts';
import { checkQcow2Geometry, qcow2DiskBytes, qcow2HeaderBytes, qcow2Layout } from './qcow2-layout.ts';
import type { Qcow2Layout } from './qcow2-layout.ts';
import { beginsWith } from '../reading/signature.ts';

interface Judged {
  readonly header: Qcow2Header;
  readonly extensions: Qcow2Extensions;
}

/** QEMU copy-on-write, versions 2 and 3 (QEMU docs/interop/qcow2.txt). */
export const qcow2: FormatInspector = {
  format: 'DISK_FORMAT_QCOW2',
  name: 'qcow2',
  recognise: ({ head }) => beginsWith(head, 'QFI\xfb'),
  checkHead(head, sizeBytes) {
    checkHeader(head, sizeBytes);
  },
  describe(file) {
    const { header, extensions } = readLayout(file);
    return {
      virtualSizeBytes: qcow2DiskBytes(header),
      virtualSizeOffset: qcow2Fields.virtualSizeBytes,
      warnings: extensions.hasBitmaps ? ['qcow2.bitmaps'] : [],
      facts: {
        qcow2_version: header.version.toString(),
        cluster_bytes: (2 ** header.clusterBits).toString(),
        compression_type: qcow2Compressions[header.compressionType] ?? '',
        ...(hasExtendedL2(header) ? { extended_l2: 'true' } : {}),
      },
    };
  },
  open: (file) => openQcow2Disk(file, readLayout(file).layout),
};

/** Judges all that the header and its extensions say. */
function readLayout(file: ByteReader): Judged & { readonly layout: Qcow2Layout } {
  const { clusterBits } = readQcow2Header(file.read(0, qcow2HeaderBytes(0)));
  const judged = checkHeader(file.read(0, qcow2HeaderBytes(clusterBits)), file.sizeBytes);
  return { ...judged, layout: qcow2Layout(judged.header, judged.extensions, file) };
}

function checkHeader(head: Uint8Array, sizeBytes: number | undefined): Judged {
  const header = readQcow2Header(head);
  checkQcow2Features(header, head);
  checkQcow2Geometry(header);
  const clusterBytes = 2 ** header.clusterBits;
  const areaEnd = Math.min(clusterBytes, sizeBytes ?? clusterBytes);
  const area = head.subarray(header.headerLength, areaEnd);
  return { header, extensions: walkQcow2Extensions(area, header, head.length >= areaEnd) };
}
