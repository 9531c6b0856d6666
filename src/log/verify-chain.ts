import { hashCanonical } from './canonical.ts';
import type { AcceptedRecord } from './accepted-record.ts';
import { emptyHead, judge, type Head } from './head.ts';
import { parseSequence, type RecordHeaders } from './record.ts';

/** One record that is not what it should be. */
export interface ChainFault {
  readonly partition: number;
  readonly offset: bigint;
  /** Empty where what lies there does not say. */
  readonly subject: string;
  readonly revision: bigint;
  readonly message: string;
}

/**
 * What a record is, seen from those of its stream that came before it. `event`: the rule of the log accepts it, or it follows
 * one that came after a fault. `void`: its revision went to another record, or it is a copy. `fault`: what it follows is not there.
 */
export type ChainVerdict =
  | { readonly kind: 'event' }
  | { readonly kind: 'void' }
  | { readonly kind: 'fault'; readonly fault: ChainFault };

/** At most so many records that came after a fault are remembered; more are faults of their own. */
const strayLimit = 100_000;

/** What came after a fault in one stream. */
interface Strays {
  /** The one with the highest revision. */
  last: Head;
  /** The revision of each, by its hash. */
  readonly revisions: Map<string, bigint>;
  /** Hashes of records that one of them follows: another that follows the same one has lost a race. */
  readonly followed: Set<string>;
}

/**
 * Recomputes the chain of every stream from stored bytes, record by record in the order of each partition. It keeps the head
 * of each stream that it has seen: about 200 bytes a stream.
 */
export class ChainVerifier {
  readonly #heads = new Map<string, Head>();
  readonly #strays = new Map<string, Strays>();
  #strayCount = 0;
  #events = 0n;
  #voids = 0n;

  /** Records that are events, those with faults too. */
  get events(): bigint {
    return this.#events;
  }

  /** Records that are void. */
  get voids(): bigint {
    return this.#voids;
  }

  /** Streams that have an event. */
  get streams(): bigint {
    return BigInt(this.#heads.size + [...this.#strays.keys()].filter((subject) => !this.#heads.has(subject)).length);
  }

  /** The last record of each stream that the rule accepted. */
  get heads(): ReadonlyMap<string, Head> {
    return this.#heads;
  }

  /** The highest revision of a stream that was seen; 0: none. */
  reach(subject: string): bigint {
    const head = this.#heads.get(subject) ?? emptyHead;
    const last = this.#strays.get(subject)?.last ?? emptyHead;
    return head.revision > last.revision ? head.revision : last.revision;
  }

  /**
   * What is wrong with the next record of a log that stores nothing but accepted records, and each one's hash beside it;
   * undefined where nothing is. After a fault the stream goes on from what is stored.
   */
  check(record: AcceptedRecord): ChainFault | undefined {
    const verdict = this.judge(record);
    if (verdict.kind === 'void') {
      this.#voids -= 1n;
      this.#events += 1n;
    }
    const computed = hashCanonical(record.canonical);
    if (computed !== record.hash) {
      return faultOf(record, `the stored bytes hash to ${computed}, but ${record.hash} stands beside them: the record was altered`);
    }
    if (verdict.kind === 'void') return faultOf(record, 'its revision was there before: records are doubled or in another order');
    return verdict.kind === 'fault' ? verdict.fault : undefined;
  }

  /**
   * What the next record of a log that stores void ones too is. In honest operation a record is appended only once the one that it
   * follows was read back, so that it never comes before it: where it does, something was altered, removed or moved.
   */
  judge(record: AcceptedRecord): ChainVerdict {
    const { headers } = record.record;
    const subject = headers.ce_subject;
    const head = this.#heads.get(subject) ?? emptyHead;
    const revision = parseSequence(headers.ce_sequence) ?? 0n;
    if (judge(head, headers) === 'accepted') {
      this.#heads.set(subject, { revision, hash: record.hash });
      return this.#event();
    }
    const strays = this.#strays.get(subject);
    // The hash of a record is computed only where it matters: copies and lost races cost less.
    const isLate = revision <= head.revision;
    const { hash } = isLate ? head : record;
    if (isLate || strays?.revisions.has(hash) === true || strays?.followed.has(headers.ce_predecessorhash) === true) {
      this.#voids += 1n;
      return { kind: 'void' };
    }
    const isFollower = strays?.revisions.get(headers.ce_predecessorhash) === revision - 1n;
    const before = strays !== undefined && strays.last.revision > head.revision && strays.last.revision < revision ? strays.last : head;
    this.#remember({ revision, hash }, headers);
    const event = this.#event();
    return isFollower ? event : { kind: 'fault', fault: faultOf(record, whatIsWrong(before, revision, headers.ce_predecessorhash)) };
  }

  #event(): ChainVerdict {
    this.#events += 1n;
    return { kind: 'event' };
  }

  #remember(stray: Head, { ce_subject: subject, ce_predecessorhash: predecessor }: RecordHeaders): void {
    if (this.#strayCount >= strayLimit) return;
    this.#strayCount += 1;
    const strays = this.#strays.get(subject) ?? { last: stray, revisions: new Map<string, bigint>(), followed: new Set<string>() };
    if (stray.revision > strays.last.revision) strays.last = stray;
    strays.revisions.set(stray.hash, stray.revision);
    strays.followed.add(predecessor);
    this.#strays.set(subject, strays);
  }
}

/** Why a record beyond `before`, the last one that was seen, does not follow it. */
function whatIsWrong(before: Head, revision: bigint, predecessor: string): string {
  const expected = before.revision + 1n;
  const last = revision - 1n;
  if (last === expected) return `revision ${expected} was expected here: it is missing or comes later`;
  if (last > expected) return `revision ${expected} was expected here: revisions ${expected} to ${last} are missing or come later`;
  const follows = `it follows a record with hash ${predecessor}, but`;
  return last === 0n ? `${follows} claims to be the first of its stream` : `${follows} the one before it has ${before.hash}: revision ${last} or this one was altered`;
}

function faultOf({ record: { headers }, partition, offset }: AcceptedRecord, message: string): ChainFault {
  return { partition, offset, subject: headers.ce_subject, revision: parseSequence(headers.ce_sequence) ?? 0n, message };
}
