import type { JetStreamManager } from 'nats';
import type { Clock } from '../../domain/clock.ts';
import { unlessMissing } from './ensure-job-stream.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsNames } from './nats-names.ts';
import type { NatsLog } from './nats-settings.ts';

/** A job that was handed out and still lies there, although its task is due, is stuck when it is found again after so long. */
const stuckAfterMs = 15_000;

/** Offers that were refused are gathered for so long, and looked at together. */
const gatherMs = 250;

/** So many jobs are looked at together; of more, those that were offered first: the oldest tasks. */
const lookLimit = 100;

/** Between two looks. */
const restMs = 5_000;

/** Jobs that are remembered from one look to the next. */
const suspectLimit = 1_000;

const requestTimeoutMs = 3_000;

/** What the look for stuck jobs works with. */
export interface StuckJobsDeps {
  readonly link: NatsLink;
  readonly names: NatsNames;
  readonly clock: Clock;
  readonly log: NatsLog;
  /** The stream has no job for this task any more. */
  readonly onFreed: (taskId: string) => void;
}

/**
 * Finds jobs that lie in the stream and reach nobody, and removes them: while one lies there the stream takes no other for its task. After
 * a hard death nats-server may have forgotten that a job was removed, and not that it was acknowledged (seen with 2.9.10): then the
 * consumer is past it for ever. One that was handed out too often lies there too; how often an attempt may be lost, the log bounds.
 */
export class StuckJobs {
  readonly #deps: StuckJobsDeps;
  /** Tasks whose jobs are looked at next. */
  readonly #gathered = new Set<string>();
  /** By task: the job that lay there, and since when it is known. */
  readonly #suspects = new Map<string, { readonly sequence: number; readonly sinceMs: number }>();
  #cancelLook: (() => void) | undefined;
  #restUntilMs = -Infinity;

  constructor(deps: StuckJobsDeps) {
    this.#deps = deps;
  }

  /** A job for a task that is due was refused, since one lies in the stream. */
  suspect(taskId: string): void {
    const { clock } = this.#deps;
    if (this.#gathered.size === lookLimit || clock.monotonicMs() < this.#restUntilMs) return;
    this.#gathered.add(taskId);
    this.#cancelLook ??= clock.schedule(gatherMs, () => {
      this.#cancelLook = undefined;
      this.#restUntilMs = clock.monotonicMs() + restMs;
      void this.#look();
    });
  }

  close(): void {
    this.#cancelLook?.();
    this.#gathered.clear();
  }

  async #look(): Promise<void> {
    const { link, names } = this.#deps;
    const taskIds = [...this.#gathered];
    this.#gathered.clear();
    try {
      const manager = await link.connection.jetstreamManager({ timeout: requestTimeoutMs, checkAPI: false });
      const { delivered } = await manager.consumers.info(names.stream, names.consumer);
      for (const taskId of taskIds) await this.#judge(manager, taskId, delivered.stream_seq);
    } catch {
      // NATS is away, or the stream is: the next sweep tells again.
    }
  }

  async #judge(manager: JetStreamManager, taskId: string, handedOut: number): Promise<void> {
    const { names, clock, log, onFreed } = this.#deps;
    const subject = names.jobOf(taskId);
    const known = this.#suspects.get(taskId);
    this.#suspects.delete(taskId);
    const job = await unlessMissing(manager.streams.getMessage(names.stream, { last_by_subj: subject }));
    // One that waits for its turn is not stuck.
    if (job === undefined || job.seq > handedOut) return;
    if (known?.sequence !== job.seq) return this.#remember(taskId, job.seq);
    if (clock.monotonicMs() - known.sinceMs < stuckAfterMs) {
      this.#suspects.set(taskId, known);
      return;
    }
    await manager.streams.purge(names.stream, { filter: subject });
    log.warn({ task_id: taskId }, 'a job that lay in NATS and reached nobody is replaced');
    onFreed(taskId);
  }

  #remember(taskId: string, sequence: number): void {
    this.#suspects.set(taskId, { sequence, sinceMs: this.#deps.clock.monotonicMs() });
    const [oldest] = this.#suspects.keys();
    if (this.#suspects.size > suspectLimit && oldest !== undefined) this.#suspects.delete(oldest);
  }
}
