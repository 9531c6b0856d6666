import { evolveStream, emptyStream, type StreamState } from '../../src/domain/fold.ts';
import { decodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import { openRecord } from '../../src/log/envelope.ts';
import { AcceptedRecord } from '../../src/log/accepted-record.ts';
import { readBatchLimit, type AppendOutcome, type EventLog } from '../../src/log/event-log.ts';
import { emptyHead, isSuperseded, judge, type Head } from '../../src/log/head.ts';
import type { Position } from '../../src/log/position.ts';
import type { Life } from './life.ts';
import type { Judge, World } from './world.ts';

/** An append whose fate is not known is given up after so long. */
const appendDeadlineMs = 10_000;

/** A copy of a record arrives at most so much later. */
const latestCopyMs = 30_000;

/** What the log tells when a record was accepted. */
export type AcceptedListener = (record: AcceptedRecord, before: StreamState, after: StreamState) => void;

/** The log that all nodes share: the real rule, and a delivery that delays, doubles, loses and hides. */
export class SimLog {
  readonly partitions: AcceptedRecord[][];
  readonly streams = new Map<string, StreamState>();
  /** Until this virtual time every append ends `unknown` and lands nowhere. */
  outageUntilMs = 0;
  onAccepted: AcceptedListener = () => undefined;
  readonly #world: World;
  readonly #judge: Judge;
  readonly #heads = new Map<string, Head>();
  #moved = Promise.withResolvers<void>();

  constructor(world: World, judgeRecord: Judge = judge) {
    this.#world = world;
    this.#judge = judgeRecord;
    this.partitions = Array.from({ length: world.plan.partitions }, () => []);
  }

  get end(): Position {
    return new Map(this.partitions.flatMap((records, partition) => (records.length === 0 ? [] : [[partition, BigInt(records.length)]])));
  }

  get moved(): Promise<void> {
    return this.#moved.promise;
  }

  /** A copy of a record arrives. */
  arrive(canonical: Uint8Array): AppendOutcome {
    const record = decodeCanonical(canonical);
    const subject = record.headers.ce_subject;
    const head = this.#heads.get(subject) ?? emptyHead;
    const hash = hashCanonical(canonical);
    if (this.#judge(head, record.headers) === 'void') {
      this.#world.count('void record');
      const superseded = isSuperseded(head, record.headers, hash);
      if (superseded === undefined) return { kind: 'unknown', cause: new Error('the record does not fit and nothing took its place') };
      return superseded ? { kind: 'superseded' } : { kind: 'accepted', position: this.end };
    }
    // The task and its image share a partition: their ids are the same.
    const partition = Number.parseInt(subject.slice(-6), 16) % this.partitions.length;
    const offset = BigInt(this.partitions[partition]!.length + 1);
    const accepted = AcceptedRecord.fromCanonical(canonical, { hash, partition, offset });
    this.partitions[partition]!.push(accepted);
    this.#heads.set(subject, { revision: head.revision + 1n, hash });
    this.#fold(subject, accepted);
    const moved = this.#moved;
    this.#moved = Promise.withResolvers<void>();
    moved.resolve();
    return { kind: 'accepted', position: new Map([[partition, offset]]) };
  }

  #fold(subject: string, accepted: AcceptedRecord): void {
    const before = this.streams.get(subject) ?? emptyStream(subject);
    const event = openRecord(decodeCanonical(accepted.canonical));
    if (before === undefined || event === undefined) return this.#world.violate('the log holds known events only', subject);
    try {
      const after = evolveStream(before, event);
      this.streams.set(subject, after);
      this.#world.note('log', `${accepted.partition}-${accepted.offset} ${event.payload.$case} on ${subject}`);
      this.#world.count(event.payload.$case);
      this.onAccepted(accepted, before, after);
    } catch (cause) {
      this.#world.violate('every accepted event can follow the one before', `${subject}: ${String(cause)}`);
    }
  }
}

/** The log as one node reaches it. */
export class SimLogHandle implements EventLog {
  readonly #world: World;
  readonly #life: Life;
  readonly #log: SimLog;

  constructor(world: World, life: Life, log: SimLog) {
    this.#world = world;
    this.#life = life;
    this.#log = log;
  }

  async append(canonical: Uint8Array): Promise<AppendOutcome> {
    const { promise, resolve } = Promise.withResolvers<AppendOutcome>();
    const { random, scheduler, plan } = this.#world;
    const life = this.#life;
    if (!life.alive) return promise;
    if (this.#world.strikes(plan.crashShare * 6)) {
      scheduler.at(0, () => { life.crash('before an append'); });
      return promise;
    }
    const giveUp = (): void => { resolve({ kind: 'unknown', cause: new Error('the deadline passed') }); };
    const send = (delayMs: number): void => void scheduler.at(delayMs, () => this.#log.arrive(canonical));
    if (scheduler.nowMs < this.#log.outageUntilMs) {
      this.#world.count('append in an outage');
      life.deliver(random.delayMs(2), giveUp);
      return promise;
    }
    if (this.#world.strikes(plan.unknownShare)) {
      this.#world.count('append unknown');
      const landsAfterMs = random.pick([undefined, random.delayMs(2), appendDeadlineMs + random.between(0, latestCopyMs)]);
      if (landsAfterMs !== undefined) send(landsAfterMs);
      life.deliver(appendDeadlineMs, giveUp);
      return promise;
    }
    scheduler.at(random.delayMs(3), () => {
      const outcome = this.#log.arrive(canonical);
      if (this.#world.strikes(plan.doubledShare)) send(random.between(0, latestCopyMs));
      if (this.#world.strikes(plan.crashShare * 6)) return life.crash(`after an append that was ${outcome.kind}`);
      // The answer and the reader's copy come in any order.
      life.deliver(outcome.kind === 'unknown' ? appendDeadlineMs : random.delayMs(3), () => { resolve(outcome); });
    });
    return promise;
  }

  async *read(from: Position, signal: AbortSignal): AsyncGenerator<readonly AcceptedRecord[]> {
    const { random } = this.#world;
    const next = this.#log.partitions.map((_, partition) => Number(from.get(partition) ?? 0n));
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => { aborted.resolve(); }, { once: true });
    while (!signal.aborted) {
      const { moved } = this.#log;
      const waiting = this.#log.partitions.flatMap((records, partition) => (records.length > next[partition]! ? [partition] : []));
      if (waiting.length === 0) {
        await Promise.race([moved, aborted.promise]);
        await Promise.race([this.#life.call('reads', () => undefined), aborted.promise]);
        continue;
      }
      const partition = random.pick(waiting);
      const size = random.chance(0.3) ? random.between(1, 3) : readBatchLimit;
      const batch = this.#log.partitions[partition]!.slice(next[partition], next[partition]! + size);
      next[partition]! += batch.length;
      yield batch;
    }
  }

  end(): Promise<Position> {
    return this.#life.call('asks for the end', () => this.#log.end);
  }

  async close(): Promise<void> {
    // Nothing is held.
  }
}
