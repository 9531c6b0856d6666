import { decodeCanonical, encodeCanonical, hashCanonical } from './canonical.ts';
import type { LogRecord } from './record.ts';

/** The place of a record in the log. */
export interface RecordPlace {
  /** 64 lower-case hexadecimal digits. */
  readonly hash: string;
  readonly partition: number;
  /** Ascending within a partition, not necessarily without gaps. */
  readonly offset: bigint;
}

type GivenPlace = Omit<RecordPlace, 'hash'> & Partial<Pick<RecordPlace, 'hash'>>;

/**
 * A record that the log's rule accepted, with its place. It comes either as canonical bytes or as headers and value; the
 * other form is made when it is first asked for, since most readers need only one.
 */
export class AcceptedRecord implements RecordPlace {
  readonly partition: number;
  readonly offset: bigint;
  #hash: string | undefined;
  #record: LogRecord | undefined;
  #canonical: Uint8Array | undefined;

  private constructor(record: LogRecord | undefined, canonical: Uint8Array | undefined, { hash, partition, offset }: GivenPlace) {
    this.#record = record;
    this.#canonical = canonical;
    this.#hash = hash;
    this.partition = partition;
    this.offset = offset;
  }

  static fromRecord(record: LogRecord, place: RecordPlace): AcceptedRecord {
    return new AcceptedRecord(record, undefined, place);
  }

  /** `place.hash` may be left out: it is computed when it is first asked for. */
  static fromCanonical(canonical: Uint8Array, place: GivenPlace): AcceptedRecord {
    return new AcceptedRecord(undefined, canonical, place);
  }

  get hash(): string {
    return (this.#hash ??= hashCanonical(this.canonical));
  }

  /** Headers and value. */
  get record(): LogRecord {
    return (this.#record ??= decodeCanonical(this.canonical));
  }

  /** The bytes that the hash is computed over (see `canonical.ts`). */
  get canonical(): Uint8Array {
    return (this.#canonical ??= encodeCanonical(this.record));
  }
}
