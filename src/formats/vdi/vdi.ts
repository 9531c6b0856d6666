import { ceilDivide, isInside } from '../reading/bounds.ts';
import type { ByteReader } from '../reading/byte-reader.ts';
import type { FormatInspector } from '../format-inspector.ts';
import { refuse } from '../refuse.ts';
import { hasAt } from '../reading/signature.ts';
import { vdiDisk } from './vdi-disk.ts';
import { readVdiHeader, vdiBlockBytes, vdiHeaderAt, vdiHeaderBytes } from './vdi-header.ts';
import type { VdiHeader } from './vdi-header.ts';

/** VirtualBox disk image, version 1.1, dynamic or static (VirtualBox Storage/VDICore.h). */
export const vdi: FormatInspector = {
  format: 'DISK_FORMAT_VDI',
  name: 'vdi',
  recognise: ({ head }) => hasAt(head, 0x40, '\x7f\x10\xda\xbe'),
  checkHead(head) {
    readVdiHeader(head);
  },
  describe(file) {
    const header = readPlaced(file);
    return {
      virtualSizeBytes: guestBytes(header),
      virtualSizeOffset: vdiHeaderAt.diskBytes,
      warnings: [],
      facts: { image_type: header.imageType, block_bytes: vdiBlockBytes.toString() },
    };
  },
  open(file) {
    const header = readPlaced(file);
    return vdiDisk(file, header, guestBytes(header));
  },
};

/** The guest sees whole sectors; VirtualBox can make disks of other sizes (block/vdi.c, vdi_open). */
function guestBytes({ diskBytes }: VdiHeader): bigint {
  return ceilDivide(diskBytes, 512n) * 512n;
}

/** Reads the header, and judges it by the size of the file. */
function readPlaced(file: ByteReader): VdiHeader {
  const header = readVdiHeader(file.read(0, vdiHeaderBytes));
  const { tableOffset, dataOffset, blocks, blocksAllocated } = header;
  const tableEnd = tableOffset + blocks * 4;
  if (!isInside(BigInt(tableOffset), BigInt(blocks) * 4n, file.sizeBytes) || tableEnd > dataOffset) {
    refuse('vdi.block_table', `The block table at ${tableOffset} is not inside the file or reaches into the data.`, {
      offset: vdiHeaderAt.tableOffset,
      value: tableOffset,
    });
  }
  const lastBlock = dataOffset + (blocksAllocated - 1) * vdiBlockBytes;
  if (blocksAllocated > 0 && lastBlock >= file.sizeBytes) {
    refuse('vdi.size', `The file ends before the last of ${blocksAllocated} blocks.`, { offset: vdiHeaderAt.blocksAllocated, value: blocksAllocated });
  }
  return header;
}
