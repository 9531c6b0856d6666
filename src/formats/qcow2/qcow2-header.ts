import { Fields } from '../reading/fields.ts';
import { refuse } from '../refuse.ts';

/** The fields of a qcow2 header (QEMU docs/interop/qcow2.txt, "Header"); those of version 3 have their defaults in version 2. */
export interface Qcow2Header {
  readonly version: 2 | 3;
  readonly backingFileOffset: bigint;
  readonly backingFileSizeBytes: number;
  readonly clusterBits: number;
  readonly virtualSizeBytes: bigint;
  readonly cryptMethod: number;
  readonly l1Entries: number;
  readonly l1Offset: bigint;
  readonly refcountTableOffset: bigint;
  readonly refcountTableClusters: number;
  readonly snapshots: number;
  readonly snapshotsOffset: bigint;
  readonly incompatibleFeatures: bigint;
  readonly autoclearFeatures: bigint;
  readonly refcountOrder: number;
  readonly headerLength: number;
  readonly compressionType: number;
}

/** Where each field stands in the file. */
export const qcow2Fields = {
  version: 4,
  backingFileOffset: 8,
  backingFileSizeBytes: 16,
  clusterBits: 20,
  virtualSizeBytes: 24,
  cryptMethod: 32,
  l1Entries: 36,
  l1Offset: 40,
  refcountTableOffset: 48,
  refcountTableClusters: 56,
  snapshots: 60,
  snapshotsOffset: 64,
  incompatibleFeatures: 72,
  autoclearFeatures: 88,
  refcountOrder: 96,
  headerLength: 100,
  compressionType: 104,
} as const satisfies Readonly<Record<keyof Qcow2Header, number>>;

const version2Length = 72;
const version3Length = 104;

/** Reads the header at the beginning of `head`. Refuses versions other than 2 and 3 (`qcow2.version`). */
export function readQcow2Header(head: Uint8Array): Qcow2Header {
  const fields = new Fields(head, 'qcow2 header');
  const at = qcow2Fields;
  const version = fields.u32be(at.version);
  if (version !== 2 && version !== 3) {
    const name = version === 1 ? 'the first qcow format, which qcow2 replaced' : `qcow version ${version}`;
    return refuse('qcow2.version', `The image is of ${name}.`, { offset: at.version, value: version });
  }
  const headerLength = version === 2 ? version2Length : fields.u32be(at.headerLength);
  return {
    version,
    backingFileOffset: fields.u64be(at.backingFileOffset),
    backingFileSizeBytes: fields.u32be(at.backingFileSizeBytes),
    clusterBits: fields.u32be(at.clusterBits),
    virtualSizeBytes: fields.u64be(at.virtualSizeBytes),
    cryptMethod: fields.u32be(at.cryptMethod),
    l1Entries: fields.u32be(at.l1Entries),
    l1Offset: fields.u64be(at.l1Offset),
    refcountTableOffset: fields.u64be(at.refcountTableOffset),
    refcountTableClusters: fields.u32be(at.refcountTableClusters),
    snapshots: fields.u32be(at.snapshots),
    snapshotsOffset: fields.u64be(at.snapshotsOffset),
    incompatibleFeatures: version === 2 ? 0n : fields.u64be(at.incompatibleFeatures),
    autoclearFeatures: version === 2 ? 0n : fields.u64be(at.autoclearFeatures),
    refcountOrder: version === 2 ? 4 : fields.u32be(at.refcountOrder),
    headerLength,
    compressionType: headerLength > version3Length ? fields.u8(at.compressionType) : 0,
  };
}

/** The shortest header that the version may have, in bytes. */
export function shortestQcow2Header(version: 2 | 3): number {
  return version === 2 ? version2Length : version3Length;
}
