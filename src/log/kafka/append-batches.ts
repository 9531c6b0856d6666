import { messageOf } from './read-message.ts';
import type { PendingAppend, PendingAppends } from './pending-appends.ts';
import type { Sender } from './topic-sender.ts';

/** Records that are sent together at most, and their bytes: those of one partition travel as one, which brokers bound. */
const batchLimit = 1_000;
const batchBytes = 1_048_576;

/**
 * The next batch goes when the brokers have the one before, or so long after that went: what a record costs falls with the
 * number that travels together.
 */
const gatherMs = 20;

/** Batches on their way at once: a broker that hangs keeps those for others waiting no longer than it must. */
const underWayLimit = 4;

/** Sends appends in batches: those of one turn of the event loop, and those that come while others are on their way, share one. */
export class AppendBatches {
  readonly #sender: Sender;
  readonly #pending: PendingAppends;
  readonly #partitions: number;
  #waiting: PendingAppend[] = [];
  #isScheduled = false;
  #isGathering = false;
  #underWay = 0;

  constructor(sender: Sender, pending: PendingAppends, partitions: number) {
    this.#sender = sender;
    this.#pending = pending;
    this.#partitions = partitions;
  }

  add(append: PendingAppend): void {
    this.#waiting.push(append);
    this.#schedule();
  }

  /** Sends a batch of what waits, if one may go now. */
  flush(): void {
    if (this.#isGathering || this.#waiting.length === 0 || this.#underWay === underWayLimit) return;
    const batch = this.#waiting.slice(0, countOf(this.#waiting));
    this.#waiting = this.#waiting.slice(batch.length);
    this.#underWay += 1;
    this.#isGathering = true;
    const sent = this.#send(batch);
    const late = Promise.withResolvers<void>();
    const timer = setTimeout(late.resolve, gatherMs);
    void Promise.race([sent, late.promise]).then(() => {
      clearTimeout(timer);
      this.#isGathering = false;
      this.flush();
    });
    void sent.then(() => {
      this.#underWay -= 1;
      this.flush();
    });
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isGathering) return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.flush();
    });
  }

  /** That they were sent says nothing of whether they are accepted; that they were not may be wrong too. */
  async #send(batch: readonly PendingAppend[]): Promise<void> {
    try {
      await this.#sender.send(batch.map(({ record }) => messageOf(record, this.#partitions)));
    } catch (cause) {
      for (const append of batch) this.#pending.settle(append, { kind: 'unknown', cause });
    }
  }
}

/** How many of those that wait go together: at least one. */
function countOf(waiting: readonly PendingAppend[]): number {
  let bytes = 0;
  const tooMany = waiting.findIndex(({ sizeBytes }, index) => {
    bytes += sizeBytes;
    return index > 0 && (index === batchLimit || bytes > batchBytes);
  });
  return tooMany === -1 ? waiting.length : tooMany;
}
