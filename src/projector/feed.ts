import { setImmediate as nextTurn } from 'node:timers/promises';
import type { StreamState } from '../domain/fold.ts';
import { emptyStream } from '../domain/fold.ts';
import type { DomainEvent } from '../domain/decision.ts';
import { openRecord } from '../log/envelope.ts';
import type { AcceptedRecord } from '../log/accepted-record.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Position } from '../log/position.ts';
import { parseSequence } from '../log/record.ts';

/** An accepted event that this node has applied: queries show it already. */
export interface AppliedEvent {
  readonly kind: StreamState['kind'];
  /** Id of the task or image. */
  readonly id: string;
  /** The event is the so-manieth of its stream. */
  readonly revision: bigint;
  readonly event: DomainEvent;
  readonly partition: number;
  readonly offset: bigint;
}

/** Called with each batch, in order; must not throw and must not wait. */
export type FeedListener = (events: readonly AppliedEvent[], position: Position) => void;

/**
 * Follows the log behind the projections and tells everybody in this process what has happened: the dispatcher, the
 * worker, the clock, the watches. Each event is decoded once, whatever the number of listeners.
 */
export class Feed {
  readonly #log: EventLog;
  readonly #reached: (position: Position, signal: AbortSignal) => Promise<void>;
  readonly #listeners = new Set<FeedListener>();
  readonly #turn: () => Promise<void>;
  #position: Position;

  /**
   * `reached` resolves once the projections of this node hold a position, however long that takes: what lags must not end the
   * feed. `from` is where they stand now. `turn` gives others theirs, after each batch.
   */
  constructor(
    log: EventLog, reached: (position: Position, signal: AbortSignal) => Promise<void>, from: Position,
    turn: () => Promise<void> = nextTurn,
  ) {
    this.#log = log;
    this.#reached = reached;
    this.#position = from;
    this.#turn = turn;
  }

  /** Everything up to here was told to all listeners. */
  get position(): Position {
    return this.#position;
  }

  /** Adds a listener; the function that it returns removes it. */
  listen(listener: FeedListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Follows the log until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    for await (const batch of this.#log.read(this.#position, signal)) {
      const position = positionAfter(this.#position, batch);
      try {
        await this.#reached(position, signal);
      } catch (cause) {
        if (signal.aborted) return;
        throw cause;
      }
      const events = batch.map(appliedOf).filter((event) => event !== undefined);
      this.#position = position;
      for (const listener of this.#listeners) listener(events, position);
      // A node that catches up has many batches at once: what the listeners have for sockets is to go out in between.
      await this.#turn();
    }
  }
}

function appliedOf({ record, partition, offset }: AcceptedRecord): AppliedEvent | undefined {
  const event = openRecord(record);
  const stream = emptyStream(record.headers.ce_subject);
  if (event === undefined || stream === undefined) return undefined;
  return { kind: stream.kind, id: stream.id, revision: parseSequence(record.headers.ce_sequence) ?? 0n, event, partition, offset };
}

function positionAfter(before: Position, batch: readonly AcceptedRecord[]): Position {
  const position = new Map(before);
  for (const { partition, offset } of batch) position.set(partition, offset);
  return position;
}
