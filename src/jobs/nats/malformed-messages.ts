import type { Clock } from '../../domain/clock.ts';
import type { NatsLog } from './nats-settings.ts';

/** The operator is told of malformed messages so often at most. */
const tellEveryMs = 60_000;

/** Counts messages that this service would not have sent, and now and then says how many there were. Their content is not shown. */
export class MalformedMessages {
  readonly #clock: Clock;
  readonly #log: NatsLog;
  #count = 0;
  #toldMs = -Infinity;

  constructor(clock: Clock, log: NatsLog) {
    this.#clock = clock;
    this.#log = log;
  }

  /** How many there were. */
  get count(): number {
    return this.#count;
  }

  /** There was another one, on `subject`. */
  add(subject: string): void {
    this.#count += 1;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#toldMs < tellEveryMs) return;
    this.#toldMs = nowMs;
    this.#log.warn({ subject, count: this.#count }, 'messages in NATS that this service does not understand were ignored');
  }
}
