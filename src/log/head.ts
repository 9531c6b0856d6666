import { noPredecessor, parseSequence, type RecordHeaders } from './record.ts';

/** The last accepted record of a stream. */
export interface Head {
  readonly revision: bigint;
  /** 64 lower-case hexadecimal digits. */
  readonly hash: string;
}

/** The head of a stream without records. */
export const emptyHead: Head = { revision: 0n, hash: noPredecessor };

/** What the log's rule says of a record. */
export type Judgement = 'accepted' | 'void';

/**
 * The rule of the log (design rule 5): a record is accepted when it claims the revision after the head's and names the
 * head's hash; every other record is void, on every replica alike, whenever and however often it arrives.
 */
export function judge(head: Head, headers: Pick<RecordHeaders, 'ce_sequence' | 'ce_predecessorhash'>): Judgement {
  const revision = parseSequence(headers.ce_sequence);
  return revision === head.revision + 1n && headers.ce_predecessorhash === head.hash ? 'accepted' : 'void';
}

/**
 * What became of a record that one has appended, seen from a head that has reached or passed its revision: `superseded`
 * where another one took its place. `undefined`: the head is not there yet, nothing is decided.
 */
export function isSuperseded(head: Head, headers: Pick<RecordHeaders, 'ce_sequence'>, hash: string): boolean | undefined {
  const revision = parseSequence(headers.ce_sequence) ?? 0n;
  if (head.revision < revision) return undefined;
  return head.revision > revision || head.hash !== hash;
}
