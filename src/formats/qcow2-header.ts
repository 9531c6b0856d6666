import { Fields } from './fields.ts';
import { refuse } from './refuse.ts';

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
  readonly incompatibleFeatures: bigint;
  readonly refcountOrder: number;
  readonly headerLength: number;
  readonly compressionType: number;
}

const version2Length = 72;
const version3Length = 104;

/** Reads the header at the beginning of `head`. Refuses versions other than 2 and 3 (`qcow2.version`). */
export function readQcow2Header(head: Uint8Array): Qcow2Header {
  const fields = new Fields(head, 'qcow2 header');
  const version = fields.u32be(4);
  if (version !== 2 && version !== 3) {
    const name = version === 1 ? 'the first qcow format, which qcow2 replaced' : `qcow version ${version}`;
    return refuse('qcow2.version', `The image is of ${name}.`, { value: version.toString() });
  }
  const headerLength = version === 2 ? version2Length : fields.u32be(100);
  return {
    version,
    backingFileOffset: fields.u64be(8),
    backingFileSizeBytes: fields.u32be(16),
    clusterBits: fields.u32be(20),
    virtualSizeBytes: fields.u64be(24),
    cryptMethod: fields.u32be(32),
    l1Entries: fields.u32be(36),
    l1Offset: fields.u64be(40),
    refcountTableOffset: fields.u64be(48),
    refcountTableClusters: fields.u32be(56),
    snapshots: fields.u32be(60),
    incompatibleFeatures: version === 2 ? 0n : fields.u64be(72),
    refcountOrder: version === 2 ? 4 : fields.u32be(96),
    headerLength,
    compressionType: headerLength > version3Length ? fields.u8(version3Length) : 0,
  };
}

/** The shortest header that the version may have, in bytes. */
export function shortestQcow2Header(version: 2 | 3): number {
  return version === 2 ? version2Length : version3Length;
}
