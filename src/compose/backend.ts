import type { StoredRecords } from '../api/verify-events.ts';
import type { JobQueue } from '../jobs/job-queue.ts';
import type { SweepDeps } from '../jobs/sweep.ts';
import type { TimerSpread } from '../jobs/timers.ts';
import type { Signals } from '../jobs/signals.ts';
import type { EventLog } from '../log/event-log.ts';
import type { AppliedPosition } from '../projector/applied-position.ts';

/** What carries jobs and signals between the nodes, and which of them live. */
export interface Coordination {
  readonly signals: Signals;
  /** This life of the node, as `AttemptStarted` names it. */
  readonly incarnation: string;
  /** Whether an attempt of that incarnation may be replaced (design rule 8). */
  readonly isDead: (incarnation: string) => boolean;
  /** Opens the queue; `sweep` is called when jobs may have been lost, or have become due: all due tasks are to be offered again. */
  openQueue(sweep: () => void): JobQueue;
  /** Undefined: this node is the only one. */
  readonly timerSpread: TimerSpread | undefined;
  /** How due tasks are looked for; undefined: at the start only, since jobs are not lost. */
  readonly regularSweep: SweepDeps['regular'];
  /** Tells the others that this node goes, once it works on nothing any more. */
  leave(): void;
  /** Whether the other nodes can be heard. */
  readonly isConnected: boolean;
  close(): Promise<void>;
}

/** One of the two ways to run (design §3): where the log is, and what carries jobs and signals. */
export interface Backend {
  /** Where this node's projections are. */
  readonly projectionsFolder: string;
  /** How far they are. */
  readonly applied: AppliedPosition;
  /** Resolves once the projections hold what the log held at the start, and can be read. */
  readonly ready: Promise<void>;
  readonly coordination: Coordination;
  /** The log; once `ready` has resolved. */
  openLog(): EventLog;
  /** What is stored, as it is stored, for who verifies it. */
  readonly storedRecords: StoredRecords;
  /** Records that the log holds and the projections do not yet. */
  readonly lagRecords: number;
  /** Partitions of the log that go no further, since they hold what is no record. */
  readonly haltedPartitions: number;
  /** Records of types that this version does not know, since the start. */
  readonly unknownTypes: number;
  /** Why calls cannot be answered as they should, for the operator; empty while they can. */
  problems(): readonly string[];
  /** Makes `ready` reject where it has not resolved: the server stops before it has caught up. */
  interrupt(): Promise<void>;
  /** Frees everything, the log too. */
  close(): Promise<void>;
}
