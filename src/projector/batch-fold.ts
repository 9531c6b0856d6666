import { evolveStream, type StreamState } from '../domain/fold.ts';
import type { AcceptedRecord } from '../log/accepted-record.ts';
import { openRecord } from '../log/envelope.ts';
import { judge, type Head } from '../log/head.ts';
import { parseSequence } from '../log/record.ts';
import { isFaultOfRecord } from './fault-of-record.ts';
import type { FoldedStream } from './fold-stream.ts';
import { messageOf } from './or-explain.ts';
import type { ProjectedRecord } from './projection.ts';
import type { FoldedBatch, FoldedChange, StreamFolds } from './stream-folds.ts';

/**
 * What became of a record that was offered. `void`: it does not fit its stream's head. `unfit`: it does, but it does not
 * decode, or its event cannot follow the ones before.
 */
export type Offered =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'void'; readonly head: Head }
  | { readonly kind: 'unfit'; readonly problem: string };

const accepted: Offered = { kind: 'accepted' };

/** Folds one batch onto the streams as they were before it. Where the batch cannot be written it is forgotten as a whole. */
export class BatchFold {
  readonly #folds: StreamFolds;
  readonly #records: ProjectedRecord[] = [];
  readonly #changes = new Map<string, FoldedChange>();
  #unknownTypes = 0;

  constructor(folds: StreamFolds) {
    this.#folds = folds;
  }

  /** Records of types that this version does not know. */
  get unknownTypes(): number {
    return this.#unknownTypes;
  }

  /** What the projections are told. */
  folded(): FoldedBatch {
    return { records: this.#records, changes: [...this.#changes.values()] };
  }

  /** Takes a record that the log has accepted. Throws where it does not decode or cannot follow. */
  take(record: AcceptedRecord): void {
    const { ce_subject: subject, ce_sequence: sequence } = record.record.headers;
    const revision = parseSequence(sequence) ?? 0n;
    const known = this.#known(subject);
    this.#add(known?.subject ?? subject, revision, record, known ?? this.#folds.fold(subject, revision === 1n));
  }

  /** Takes a record where the rule of the log accepts it. Throws where the tables cannot be read. */
  offer(record: AcceptedRecord): Offered {
    try {
      const { headers } = record.record;
      const known = this.#known(headers.ce_subject);
      const subject = known?.subject ?? headers.ce_subject;
      const head = known?.head ?? this.#folds.storedHead(subject);
      if (judge(head, headers) === 'void') return { kind: 'void', head };
      this.#add(subject, head.revision + 1n, record, known ?? this.#folds.fold(subject, head.revision === 0n));
      return accepted;
    } catch (cause) {
      if (!isFaultOfRecord(cause)) throw cause;
      return { kind: 'unfit', problem: messageOf(cause) };
    }
  }

  /** The head of a stream, after what the batch has taken so far. */
  headOf(subject: string): Head {
    return this.#known(subject)?.head ?? this.#folds.storedHead(subject);
  }

  #known(subject: string): FoldedChange | undefined {
    return this.#changes.get(subject) ?? this.#folds.kept(subject);
  }

  /** `subject`: where the stream is known already its string, so that those of later records need not be kept. */
  #add(subject: string, revision: bigint, accepted: AcceptedRecord, { stream: before }: FoldedStream): void {
    const { record, canonical, hash, partition } = accepted;
    const offset = Number(accepted.offset);
    const event = openRecord(record);
    if (event !== undefined && Number.isNaN(event.time.getTime())) throw new TypeError('its ce_time is no time');
    let stream: StreamState | undefined = before;
    if (event === undefined) this.#unknownTypes += 1;
    else if (before !== undefined) stream = evolveStream(before, event);
    this.#changes.set(subject, { subject, owner: record.headers.ce_owner, head: { revision, hash }, partition, offset, stream });
    this.#records.push({ subject, revision: Number(revision), partition, offset, canonical, hash });
  }
}
