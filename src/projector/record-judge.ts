import { AcceptedRecord, type RecordPlace } from '../log/accepted-record.ts';
import { decodeCanonical } from '../log/canonical.ts';
import { emptyHead, type Head } from '../log/head.ts';
import type { Halt, Judged, ReadRecord, Verdict } from '../log/kafka/judge.ts';
import { parseSequence } from '../log/record.ts';
import type { BatchFold } from './batch-fold.ts';
import { isFaultOfRecord } from './fault-of-record.ts';
import { messageOf } from './or-explain.ts';
import type { AppliedPlace, Projector } from './projector.ts';

const accepted: Verdict = { kind: 'accepted' };
const withheld: Verdict = { kind: 'withheld' };

/** What became of a batch. */
export interface JudgedBatch extends Judged {
  /** The last record that was read in each partition of the batch. */
  readonly places: readonly AppliedPlace[];
  /** Records of types that this version does not know. */
  readonly unknownTypes: number;
}

/** One batch while it is judged. */
interface Judging {
  readonly batch: BatchFold;
  /** The last record that was read in each partition of the batch. */
  readonly read: Map<number, RecordPlace>;
  readonly halts: Map<number, Halt>;
}

/**
 * Judges records as they were read from a topic (see `Judge`), and applies those that the rule of the log accepts, in the
 * thread that owns the projections.
 */
export class RecordJudge {
  #projector: Projector;
  readonly #halted = new Set<number>();

  constructor(projector: Projector) {
    this.#projector = projector;
  }

  /** Goes on with another projector over the same rows. */
  continueOn(projector: Projector): void {
    this.#projector = projector;
  }

  /** Judges and applies one batch in one transaction. Throws where nothing was written; then the same batch may come again. */
  judge(records: readonly ReadRecord[]): JudgedBatch {
    const judged = this.#judgeAll(records);
    for (const { partition } of judged.halts) this.#halted.add(partition);
    return judged;
  }

  #judgeAll(records: readonly ReadRecord[]): JudgedBatch {
    try {
      return this.#judgeTogether(records, new Map());
    } catch (cause) {
      if (!isFaultOfRecord(cause)) throw cause;
      // One of them decodes and follows, and cannot be stored all the same. Which one shows when each is stored by itself.
      return this.#projector.inOne(() => this.#judgeSingly(records));
    }
  }

  #judgeTogether(records: readonly ReadRecord[], halts: Map<number, Halt>): JudgedBatch {
    let verdicts: readonly Verdict[] = [];
    let unknownTypes = 0;
    const places = this.#projector.commit((batch) => {
      const judging: Judging = { batch, read: new Map(), halts };
      verdicts = records.map((record) => this.#judge(record, judging));
      unknownTypes = batch.unknownTypes;
      return judging.read.values();
    });
    return { verdicts, halts: [...halts.values()], places, unknownTypes };
  }

  #judgeSingly(records: readonly ReadRecord[]): JudgedBatch {
    const halts = new Map<number, Halt>();
    const places = new Map<number, AppliedPlace>();
    let unknownTypes = 0;
    const verdicts = records.map((record): Verdict => {
      try {
        const judged = this.#judgeTogether([record], halts);
        for (const place of judged.places) places.set(place.partition, place);
        unknownTypes += judged.unknownTypes;
        return judged.verdicts[0] ?? withheld;
      } catch (cause) {
        if (!isFaultOfRecord(cause)) throw cause;
        halts.set(record.partition, haltAt(record, messageOf(cause)));
        return withheld;
      }
    });
    return { verdicts, halts: [...halts.values()], places: [...places.values()], unknownTypes };
  }

  #judge({ partition, offset, canonical, isForeign }: ReadRecord, { batch, read, halts }: Judging): Verdict {
    const place = read.get(partition)?.offset ?? BigInt(this.#projector.places.get(partition)?.offset ?? -1);
    if (offset <= place) return { kind: 'void', head: isForeign === true ? emptyHead : headOf(canonical, batch) };
    if (this.#halted.has(partition) || halts.has(partition)) return withheld;
    const record = AcceptedRecord.fromCanonical(canonical, { partition, offset });
    const offered = isForeign === true ? { kind: 'void', head: emptyHead } as const : batch.offer(record);
    switch (offered.kind) {
      case 'accepted':
        read.set(partition, record);
        return accepted;
      case 'void':
        read.set(partition, record);
        return offered;
      case 'unfit':
        halts.set(partition, haltAt(record, offered.problem));
        return withheld;
      default:
        return offered satisfies never;
    }
  }
}

/** The head that the record's stream has now; a record that does not decode was passed over when it was read first. */
function headOf(canonical: Uint8Array, batch: BatchFold): Head {
  let subject: string;
  try {
    subject = decodeCanonical(canonical).headers.ce_subject;
  } catch {
    return emptyHead;
  }
  return batch.headOf(subject);
}

function haltAt({ partition, offset, canonical }: ReadRecord, problem: string): Halt {
  return { partition, offset, message: `the record at position ${partition}-${offset}${describe(canonical)} cannot be applied: ${problem}` };
}

function describe(canonical: Uint8Array): string {
  try {
    const { ce_type: type, ce_subject: subject, ce_sequence: sequence } = decodeCanonical(canonical).headers;
    return `, ${type} of ${subject}, revision ${parseSequence(sequence) ?? ''},`;
  } catch {
    return '';
  }
}
