import { isInside } from './bounds.ts';
import type { ByteReader } from './byte-reader.ts';
import { Fields } from './fields.ts';
import type { FormatInspector } from './format-inspector.ts';
import { refuse } from './refuse.ts';
import { beginsWith } from './signature.ts';
import { checkVmdkDescriptor } from './vmdk-descriptor.ts';
import type { VmdkDescriptor } from './vmdk-descriptor.ts';
import { readVmdkFooter } from './vmdk-footer.ts';
import {
  checkVmdkHeader,
  grainDirectoryAtEnd,
  grainDirectoryBytes,
  readVmdkHeader,
  usesRedundantDirectory,
  vmdkSectorBytes,
} from './vmdk-header.ts';
import type { VmdkHeader } from './vmdk-header.ts';
import type { WarningName } from './warning-table.ts';

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
    const header = readVmdkHeader(file.read(0, 512));
    checkVmdkHeader(header);
    const descriptor = checkDescriptor(file.read(512, Number(header.descriptorSectors * vmdkSectorBytes)), header);
    const overheadBytes = header.overheadSectors * vmdkSectorBytes;
    if (!isInside(0n, overheadBytes, file.sizeBytes)) {
      refuse('truncated', `The file has ${file.sizeBytes} bytes where its metadata alone takes ${overheadBytes}.`, {
        structure: 'VMDK metadata',
        bytes_found: file.sizeBytes.toString(),
      });
    }
    const isStreamed = header.grainDirectorySectors === grainDirectoryAtEnd;
    checkDirectories(isStreamed ? readVmdkFooter(file, header) : header, file);
    const warnings: WarningName[] = [];
    if (header.isUnclean) warnings.push('vmdk.unclean_shutdown');
    if (descriptor.extentSectors !== header.capacitySectors) warnings.push('vmdk.extent_size');
    return {
      virtualSizeBytes: header.capacitySectors * vmdkSectorBytes,
      warnings,
      facts: {
        vmdk_version: header.version.toString(),
        create_type: descriptor.createType,
        grain_bytes: (header.grainSectors * vmdkSectorBytes).toString(),
      },
    };
  },
};

function checkDescriptor(bytes: Uint8Array, header: VmdkHeader): VmdkDescriptor {
  const text = new Fields(bytes, 'VMDK descriptor', 512).text(0, Number(header.descriptorSectors * vmdkSectorBytes));
  const end = text.indexOf('\0');
  const descriptor = end < 0 ? text : text.slice(0, end);
  // qemu gives the extents of a split disk an empty place for a descriptor, other programs none.
  if (descriptor.trim() === '') refuse('vmdk.descriptor_missing', 'The file is one extent of a disk whose descriptor is in another file.');
  return checkVmdkDescriptor(descriptor);
}

function checkDirectories(header: VmdkHeader, { sizeBytes }: ByteReader): void {
  const lengthBytes = grainDirectoryBytes(header);
  const hasRedundant = (header.flags & usesRedundantDirectory) !== 0 && header.redundantDirectorySectors !== 0n;
  const places = hasRedundant ? [header.grainDirectorySectors, header.redundantDirectorySectors] : [header.grainDirectorySectors];
  for (const place of places) {
    const offset = place * vmdkSectorBytes;
    if (place === 0n || !isInside(offset, lengthBytes, sizeBytes)) {
      refuse('vmdk.grain_directory', `The grain directory at ${offset} is not inside the file.`, { offset: offset.toString() });
    }
  }
}
