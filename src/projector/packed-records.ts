import type { ReadRecord } from '../log/kafka/judge.ts';
import { packBatch, unpackBatch, type PackedBatch } from './packed-batch.ts';

/** Records that were read, in a form that crosses to another thread without being cloned one by one. */
export interface PackedRecords {
  readonly canonical: PackedBatch;
  readonly partitions: Uint16Array;
  readonly offsets: BigInt64Array;
  /** 1 where the record is foreign. */
  readonly foreign: Uint8Array;
}

export function packRecords(records: readonly ReadRecord[]): PackedRecords {
  const partitions = new Uint16Array(records.length);
  const offsets = new BigInt64Array(records.length);
  const foreign = new Uint8Array(records.length);
  records.forEach(({ partition, offset, isForeign }, index) => {
    partitions[index] = partition;
    offsets[index] = offset;
    foreign[index] = isForeign === true ? 1 : 0;
  });
  return { canonical: packBatch(records.map(({ canonical }) => canonical)), partitions, offsets, foreign };
}

export function unpackRecords({ canonical, partitions, offsets, foreign }: PackedRecords): ReadRecord[] {
  return unpackBatch(canonical).map((bytes, index) => {
    const record = { partition: partitions[index] ?? 0, offset: offsets[index] ?? 0n, canonical: bytes };
    return foreign[index] === 1 ? { ...record, isForeign: true } : record;
  });
}
