import type { Head } from '../head.ts';
import type { Position } from '../position.ts';
import type { OlderRecord } from '../record-tail.ts';

/** A record as it was read from the topic, whether or not the log's rule will accept it. */
export interface ReadRecord {
  readonly partition: number;
  readonly offset: bigint;
  readonly canonical: Uint8Array;
  /** Void whatever the head, and not decoded: it lies outside its stream's partition, or every node was told to pass over it. */
  readonly isForeign?: true;
}

/** The last record that was read in a partition, void ones too. */
export interface ReadPlace {
  readonly offset: bigint;
  /** 64 lower-case hexadecimal digits. */
  readonly hash: string;
}

/**
 * What the log's rule said of a record. `void`: `head` is the stream's head when the record came. `withheld`: its partition
 * has halted at this record or before it, nothing is decided.
 */
export type Verdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'void'; readonly head: Head }
  | { readonly kind: 'withheld' };

/**
 * A partition that goes no further, until the process starts anew: the rule accepts the record, but it does not decode, or
 * its event cannot follow its stream.
 */
export interface Halt {
  readonly partition: number;
  readonly offset: bigint;
  /** For the operator. */
  readonly message: string;
}

/** What became of records that were read. */
export interface Judged {
  /** One for each record, in their order. */
  readonly verdicts: readonly Verdict[];
  /** Partitions that halted with these records. */
  readonly halts: readonly Halt[];
}

/**
 * Decides which records of the topic are accepted, and keeps, in one transaction with the rows of the projections, where
 * reading goes on: only what holds the heads of all streams can say it.
 */
export interface Judge {
  /** The last record read in each partition. */
  readonly places: ReadonlyMap<number, ReadPlace>;
  /** The last accepted record in each partition, as it was at the start. */
  readonly acceptedAtOpen: Position;
  /**
   * Takes what was read next, in the order of each partition; resolves once it is committed. One call at a time. A record
   * that was read before (its offset is not after the partition's place) is void again and changes nothing. Rejects where
   * nothing was committed: the same call may be made again.
   */
  judge(records: readonly ReadRecord[]): Promise<Judged>;
  /** At most `limit` accepted records after `from`, partition by partition, each in order. */
  acceptedAfter(from: Position, limit: number): readonly OlderRecord[];
}
