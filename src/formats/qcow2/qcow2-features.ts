import { printable } from '../reading/printable.ts';
import { qcow2Fields as at } from './qcow2-header.ts';
import type { Qcow2Header } from './qcow2-header.ts';
import { refuse } from '../refuse.ts';

/** The incompatible feature bits that qemu has defined so far. */
export const qcow2Bits = {
  dirty: 1n << 0n,
  corrupt: 1n << 1n,
  externalDataFile: 1n << 2n,
  compressionType: 1n << 3n,
  extendedL2: 1n << 4n,
} as const;

/** The autoclear bit by which the data file is a raw disk by itself; qemu opens no image that has it and no such file. */
const rawDataFile = 1n << 1n;

const knownBits = Object.values(qcow2Bits).reduce((all, bit) => all | bit, 0n);

/** The kinds of compression, by the header's number. */
export const qcow2Compressions: readonly string[] = ['zlib', 'zstd'];

/** Whether the image's L2 entries are of 16 bytes, with a state for each of 32 subclusters. */
export function hasExtendedL2({ incompatibleFeatures }: Qcow2Header): boolean {
  return (incompatibleFeatures & qcow2Bits.extendedL2) !== 0n;
}

/**
 * Refuses what makes the reader of an image open other files (CVE-2015-5163: a backing file; CVE-2024-32498 and
 * CVE-2024-4467: an external data file), what cannot be inspected, and what is broken or unknown.
 */
export function checkQcow2Features(header: Qcow2Header, head: Uint8Array): void {
  checkBackingFile(header, head);
  const bits = header.incompatibleFeatures;
  const seenBits = { offset: at.incompatibleFeatures, value: `0x${bits.toString(16)}` };
  if (bits & qcow2Bits.externalDataFile) refuse('qcow2.data_file', 'The image keeps its data in another file.', seenBits);
  const autoclear = header.autoclearFeatures;
  if (autoclear & rawDataFile) {
    const value = `0x${autoclear.toString(16)}`;
    refuse('qcow2.data_file', 'The image is marked as one that keeps its data in another file.', { offset: at.autoclearFeatures, value });
  }
  if (header.cryptMethod !== 0) {
    const method = ['', 'AES', 'LUKS'][header.cryptMethod] ?? `method ${header.cryptMethod}`;
    refuse('qcow2.encryption', `The image is encrypted (${method}).`, { offset: at.cryptMethod, value: header.cryptMethod });
  }
  if (bits & ~knownBits) {
    const value = `0x${(bits & ~knownBits).toString(16)}`;
    refuse('qcow2.incompatible_features', `The image needs features that are not known here (bits ${value}).`, { ...seenBits, value });
  }
  if (bits & qcow2Bits.corrupt) refuse('qcow2.corrupt', 'The image is marked as corrupt by the program that wrote it last.', seenBits);
  if (bits & qcow2Bits.dirty) refuse('qcow2.dirty', 'The image was not closed cleanly: its reference counts may be wrong.', seenBits);
  if (header.snapshots !== 0) {
    refuse('qcow2.snapshots', `The image holds ${header.snapshots} internal snapshots, older states of the disk.`, {
      offset: at.snapshots,
      value: header.snapshots,
    });
  }
  checkCompression(header);
}

function checkBackingFile(header: Qcow2Header, head: Uint8Array): void {
  const { backingFileOffset, backingFileSizeBytes } = header;
  if (backingFileOffset === 0n && backingFileSizeBytes === 0) return;
  refuse('qcow2.backing_file', `The image is only the difference to a backing file${backingName(header, head)}.`, {
    ...(backingFileOffset === 0n
      ? { offset: at.backingFileSizeBytes, value: backingFileSizeBytes }
      : { offset: at.backingFileOffset, value: backingFileOffset }),
  });
}

function checkCompression({ incompatibleFeatures, compressionType }: Qcow2Header): void {
  const isMarked = (incompatibleFeatures & qcow2Bits.compressionType) !== 0n;
  const seen = { offset: at.compressionType, value: compressionType };
  if (isMarked !== (compressionType !== 0)) {
    refuse('qcow2.header', 'The compression type and its feature bit contradict each other.', seen);
  }
  if (compressionType >= qcow2Compressions.length) {
    refuse('qcow2.compression_type', `The compression type ${compressionType} is not known here.`, seen);
  }
}

function backingName({ backingFileOffset, backingFileSizeBytes }: Qcow2Header, head: Uint8Array): string {
  const end = backingFileOffset + BigInt(backingFileSizeBytes);
  if (backingFileSizeBytes === 0 || end > BigInt(head.length)) return '';
  const name = Buffer.from(head.subarray(Number(backingFileOffset), Number(end))).toString('latin1');
  return ` ("${printable(name)}")`;
}
