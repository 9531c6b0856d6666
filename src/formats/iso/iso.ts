import { ceilDivide, isPowerOfTwo } from '../reading/bounds.ts';
import { headBytes } from '../reading/edges.ts';
import type { FormatInspector } from '../format-inspector.ts';
import { plainDisk } from '../guest/guest-disk.ts';
import { hasIsoDescriptor, isoDescriptorOffset, isoSectorBytes, readIsoVolume } from './iso-volume.ts';
import type { IsoVolume } from './iso-volume.ts';
import { partitionTableOf } from '../content/raw-content.ts';
import { refuse } from '../refuse.ts';

/**
 * A volume may state so many bytes more than there are: the gap of 150 sectors that recorders write behind a track is
 * counted by some programs and lost by most readers.
 */
const lostGapBytes = 150n * BigInt(isoSectorBytes);

/**
 * Optical disc image, ISO 9660 (ECMA-119) or UDF. The guest sees it byte for byte. A partition table in its unused
 * system area is allowed: that is how a disc also boots from a memory stick ("isohybrid").
 */
export const iso: FormatInspector = {
  format: 'DISK_FORMAT_ISO',
  name: 'iso',
  recognise: ({ head }) => hasIsoDescriptor(head),
  checkHead(head) {
    checkVolume(readIsoVolume(head), head);
  },
  describe(file) {
    const head = file.read(0, Math.min(headBytes, file.sizeBytes));
    const volume = readIsoVolume(head);
    checkVolume(volume, head);
    const stated = BigInt(volume.primary?.blocks ?? 0) * BigInt(volume.primary?.blockBytes ?? 0);
    if (stated > BigInt(file.sizeBytes) + lostGapBytes) {
      refuse('iso.truncated', `The volume has ${stated} bytes, but the file only ${file.sizeBytes}.`, {
        bytes_expected: stated,
        offset: (volume.primary?.offset ?? 0) + 80,
        value: volume.primary?.blocks ?? 0,
      });
    }
    const partitions = partitionTableOf(head);
    return {
      virtualSizeBytes: ceilDivide(BigInt(file.sizeBytes), 512n) * 512n,
      virtualSizeOffset: 0,
      warnings: stated > BigInt(file.sizeBytes) || file.sizeBytes % isoSectorBytes !== 0 ? ['iso.size'] : [],
      facts: {
        file_system: [...(volume.primary ? ['ISO 9660'] : []), ...(volume.isUdf ? ['UDF'] : [])].join(', '),
        ...(volume.primary?.volumeId ? { volume_id: volume.primary.volumeId } : {}),
        ...(volume.isBootable ? { boot: 'El Torito' } : {}),
        ...(partitions === undefined ? {} : { isohybrid: partitions }),
      },
    };
  },
  open: (file) => plainDisk(ceilDivide(BigInt(file.sizeBytes), 512n) * 512n, file.sizeBytes),
};

function checkVolume({ primary, isUdf }: IsoVolume, head: Uint8Array): void {
  if (!primary && !isUdf) {
    refuse('iso.descriptor', 'The disc has volume descriptors, but no primary one.', { offset: isoDescriptorOffset, value: head[isoDescriptorOffset] ?? 0 });
  }
  if (primary && (!isPowerOfTwo(primary.blockBytes) || primary.blockBytes < 512 || primary.blockBytes > isoSectorBytes)) {
    refuse('iso.descriptor', `The block size of ${primary.blockBytes} bytes is impossible.`, { offset: primary.offset + 128, value: primary.blockBytes });
  }
}
