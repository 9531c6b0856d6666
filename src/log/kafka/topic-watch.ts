import type { JudgedPlaces } from './judged-places.ts';
import type { TopicOffsets, TopicRanges } from './topic-offsets.ts';
import { changed, TopicChangedError, type TopicReader } from './topic-reader.ts';

/** How often the topic's end is looked at although nobody asks. */
const lookEveryMs = 3_000;

/**
 * A reader that gets no further in a partition for so long, although there is more, is replaced: kafkajs may wait for ever for a
 * broker that hangs.
 */
const stallLimitMs = 6_000;

/** A topic that ends before what was read is another one if it says so for so long. */
const shorterLimitMs = 6_000;

/** What a watch works with. */
export interface TopicWatchDeps {
  readonly topic: string;
  readonly partitions: number;
  readonly offsets: TopicOffsets;
  readonly places: JudgedPlaces;
  readonly reader: Pick<TopicReader, 'isAnchored' | 'replace'>;
  /** Whether nothing that was read waits to be judged, nor is being judged. */
  readonly isIdle: () => boolean;
  /** The topic is another one. */
  readonly onEnd: (cause: Error) => void;
}

/** Sees whether the topic is still the one that was read, and whether it is still being read. */
export class TopicWatch {
  readonly #deps: TopicWatchDeps;
  /** Partitions that are behind, and since when they get no further. */
  readonly #stalls = new Map<number, { readonly judged: bigint; readonly sinceMs: number }>();
  readonly #timer: NodeJS.Timeout;
  #ranges: TopicRanges = new Map();
  #shorterSinceMs: number | undefined;
  /** Ends that were told of partitions although more was read, and that a fresh consumer was to look into. */
  readonly #excused = new Map<number, bigint>();
  #isStopped = false;

  constructor(deps: TopicWatchDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => { void this.look(); }, lookEveryMs);
  }

  stop(): void {
    this.#isStopped = true;
    clearInterval(this.#timer);
  }

  /** Records that the topic holds and this node has not judged yet, as of the last answer of the brokers. */
  get lagRecords(): number {
    let lag = 0n;
    for (const [partition, { high }] of this.#ranges) {
      const behind = high - 1n - this.#deps.places.judged(partition);
      if (behind > 0n) lag += behind;
    }
    return Number(lag);
  }

  /** What the topic holds. Rejects with `LogUnavailableError`. */
  async ask(): Promise<TopicRanges> {
    this.#ranges = await this.#deps.offsets.ask();
    return this.#ranges;
  }

  /** What is wrong with the topic by its ranges alone. */
  faultOf(ranges: TopicRanges): TopicChangedError | undefined {
    const { topic, partitions } = this.#deps;
    if (ranges.size !== partitions) return new TopicChangedError(otherPartitions(topic, partitions, ranges.size));
    const cut = [...ranges].find(([, { low }]) => low > 0n);
    return cut === undefined ? undefined : changed(topic, `it has lost what was before position ${cut[0]}-${cut[1].low}`);
  }

  async look(): Promise<void> {
    const { topic, partitions, places, reader, onEnd } = this.#deps;
    // What is read while the brokers answer may lie behind the end that they tell.
    const judged = new Map(Array.from({ length: partitions }, (_, partition) => [partition, places.judged(partition)]));
    const ranges = await this.ask().catch(() => undefined);
    if (this.#isStopped) return;
    this.#replaceStalled();
    if (ranges === undefined) return;
    const fault = this.faultOf(ranges);
    if (fault !== undefined) return onEnd(fault);
    const isExcused = (partition: number, high: bigint): boolean => reader.isAnchored(partition) && this.#excused.get(partition) === high;
    const shorter = [...ranges].find(([partition, { high }]) => high <= (judged.get(partition) ?? -1n) && !isExcused(partition, high));
    const nowMs = performance.now();
    this.#shorterSinceMs = shorter === undefined ? undefined : (this.#shorterSinceMs ?? nowMs);
    if (shorter === undefined || nowMs - (this.#shorterSinceMs ?? nowMs) < shorterLimitMs) return;
    this.#shorterSinceMs = undefined;
    const [partition, { high }] = shorter;
    if (!reader.isAnchored(partition)) {
      return onEnd(changed(topic, `partition ${partition} ends before position ${high}, and this node has read the record at ${judged.get(partition) ?? -1n}`));
    }
    // kafkajs goes on with a topic made anew without a word; a fresh consumer asks for the last record again. Where it finds it,
    // only another writer's open transaction hides what comes after it from this question.
    this.#excused.set(partition, high);
    reader.replace(`partition ${partition} is said to end before position ${high}, and more of it was read`);
  }

  #replaceStalled(): void {
    const { places, isIdle, reader } = this.#deps;
    const nowMs = performance.now();
    for (const [partition, { high }] of this.#ranges) {
      const judged = places.judged(partition);
      const stall = this.#stalls.get(partition);
      const isBehind = judged < high - 1n && !places.halts.has(partition) && isIdle();
      if (!isBehind) this.#stalls.delete(partition);
      else if (stall?.judged !== judged) this.#stalls.set(partition, { judged, sinceMs: nowMs });
      else if (nowMs - stall.sinceMs >= stallLimitMs) {
        this.#stalls.clear();
        return reader.replace(`partition ${partition} gave nothing for ${stallLimitMs / 1_000} s although it holds more`);
      }
    }
  }
}

function otherPartitions(topic: string, expected: number, found: number): string {
  return `The topic ${topic} has ${found} partitions now and had ${expected}: records of a stream would lie in two of them. `
    + `Put back a topic with ${expected} partitions from a copy.`;
}
