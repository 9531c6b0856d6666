import { isInside } from '../reading/bounds.ts';
import type { ByteReader } from '../reading/byte-reader.ts';
import { Fields } from '../reading/fields.ts';
import type { FormatInspector } from '../format-inspector.ts';
import { refuse } from '../refuse.ts';
import { beginsWith } from '../reading/signature.ts';
import { checkVmdkDescriptor } from './vmdk-descriptor.ts';
import type { VmdkDescriptor } from './vmdk-descriptor.ts';
import { vmdkDisk } from './vmdk-disk.ts';
import { readVmdkFooter } from './vmdk-footer.ts';
import { checkVmdkHeader, grainDirectoryAtEnd, readVmdkHeader, vmdkHeaderAt, vmdkSectorBytes } from './vmdk-header.ts';
import type { VmdkHeader } from './vmdk-header.ts';
import { vmdkLayout } from './vmdk-layout.ts';
import type { VmdkLayout } from './vmdk-layout.ts';
import type { WarningName } from '../warning-table.ts';

const descriptorOffset = 512;
/** qemu reads so many sectors for a descriptor, up to its first NUL, however many the header states (block/vmdk.c). */
const sectorsReadByQemu = 20n;

/**
 * VMware virtual disk in one file: monolithicSparse or streamOptimized (VMware "Virtual Disk Format 5.0"). Descriptors
 * without data and the other kinds of extent are in `unsupported-formats.ts`.
 */
export const vmdk: FormatInspector = {
  format: 'DISK_FORMAT_VMDK',
  name: 'vmdk',
  recognise: ({ head }) => beginsWith(head, 'KDMV'),
  checkHead(head, sizeBytes) {
    const header = readVmdkHeader(head);
    checkVmdkHeader(header);
    const end = Number((1n + header.descriptorSectors) * vmdkSectorBytes);
    if (end <= head.length || sizeBytes !== undefined) checkDescriptor(head.subarray(512), header);
  },
  describe(file) {
    const { header, descriptor } = readExtent(file);
    const warnings: WarningName[] = [];
    if (header.isUnclean) warnings.push('vmdk.unclean_shutdown');
    if (descriptor.extentSectors !== header.capacitySectors) warnings.push('vmdk.extent_size');
    return {
      virtualSizeBytes: header.capacitySectors * vmdkSectorBytes,
      virtualSizeOffset: vmdkHeaderAt.capacitySectors,
      warnings,
      facts: {
        vmdk_version: header.version.toString(),
        create_type: descriptor.createType,
        grain_bytes: (header.grainSectors * vmdkSectorBytes).toString(),
      },
    };
  },
  open: (file) => vmdkDisk(file, readExtent(file).layout),
};

interface SparseExtent {
  readonly header: VmdkHeader;
  readonly descriptor: VmdkDescriptor;
  readonly layout: VmdkLayout;
}

function readExtent(file: ByteReader): SparseExtent {
  const header = readVmdkHeader(file.read(0, 512));
  checkVmdkHeader(header);
  const descriptor = checkDescriptor(file.read(512, Number(header.descriptorSectors * vmdkSectorBytes)), header);
  const overheadBytes = header.overheadSectors * vmdkSectorBytes;
  if (!isInside(0n, overheadBytes, file.sizeBytes)) {
    refuse('truncated', `The file has ${file.sizeBytes} bytes where its metadata alone takes ${overheadBytes}.`, {
      structure: 'VMDK metadata',
      bytes_found: file.sizeBytes,
      offset: vmdkHeaderAt.overheadSectors,
      value: header.overheadSectors,
    });
  }
  const footer = header.grainDirectorySectors === grainDirectoryAtEnd ? readVmdkFooter(file, header) : undefined;
  return { header, descriptor, layout: vmdkLayout(header, file.sizeBytes, footer) };
}

function checkDescriptor(bytes: Uint8Array, header: VmdkHeader): VmdkDescriptor {
  const text = new Fields(bytes, 'VMDK descriptor', descriptorOffset).text(0, Number(header.descriptorSectors * vmdkSectorBytes));
  const end = text.indexOf('\0');
  const descriptor = end < 0 ? text : text.slice(0, end);
  // qemu gives the extents of a split disk an empty place for a descriptor, other programs none.
  if (descriptor.trim() === '') {
    refuse('vmdk.descriptor_missing', 'The file is one extent of a disk whose descriptor is in another file.', { offset: descriptorOffset, value: 0 });
  }
  if (end < 0 && header.descriptorSectors < sectorsReadByQemu) {
    const offset = descriptorOffset + text.length;
    refuse('vmdk.descriptor', 'The descriptor has no end inside its sectors, so that readers go on behind it.', { offset, value: text.length });
  }
  return checkVmdkDescriptor(descriptor, descriptorOffset, header.compression === 0 ? 'monolithicSparse' : 'streamOptimized');
}

