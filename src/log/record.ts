/**
 * A record of the log: the headers of CloudEvents 1.0 in binary mode, and the event as protobuf. The same bytes in every
 * adapter. `content-type` is always `application/protobuf` and is no part of the hash.
 */
export interface LogRecord {
  readonly headers: RecordHeaders;
  readonly value: Uint8Array;
}

/** The headers, by the names that they have on the wire. */
export interface RecordHeaders {
  /** UUID of the record. */
  readonly ce_id: string;
  /** The owner of the stream. */
  readonly ce_owner: string;
  /** Hash of the stream's previous record, 64 lower-case hexadecimal digits; 64 zeros at revision 1. */
  readonly ce_predecessorhash: string;
  /** The revision, 20 decimal digits with leading zeros. */
  readonly ce_sequence: string;
  /** Always `recordSource`. */
  readonly ce_source: string;
  /** Always `1.0`. */
  readonly ce_specversion: string;
  /** The stream: `tasks/<id>` or `images/<id>`. */
  readonly ce_subject: string;
  /** When it happened, RFC 3339 in UTC with milliseconds. */
  readonly ce_time: string;
  /** The payload's full protobuf name. */
  readonly ce_type: string;
}

/** The names of the hashed headers, in the order in which they are hashed. */
export const headerNames = [
  'ce_id',
  'ce_owner',
  'ce_predecessorhash',
  'ce_sequence',
  'ce_source',
  'ce_specversion',
  'ce_subject',
  'ce_time',
  'ce_type',
] as const satisfies readonly (keyof RecordHeaders)[];

/** The `ce_source` of every record: one per deployment and not per node, so that all nodes derive the same bytes. */
export const recordSource = '/lehr';

/** `content-type` of every record. */
export const recordContentType = 'application/protobuf';

/** The predecessor hash of a stream's first record. */
export const noPredecessor = '0'.repeat(64);

/** A revision as `ce_sequence` has it. */
export function formatSequence(revision: bigint): string {
  return revision.toString().padStart(20, '0');
}

/** The revision that a `ce_sequence` means; undefined where it is not 20 decimal digits. */
export function parseSequence(sequence: string): bigint | undefined {
  return /^\d{20}$/.test(sequence) ? BigInt(sequence) : undefined;
}
