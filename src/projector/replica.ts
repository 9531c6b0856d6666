import type { Judge } from '../log/kafka/judge.ts';
import type { AppliedPosition } from './applied-position.ts';
import type { ProjectionSettings } from './projection.ts';

/** The replica thread, which judges the records of a log that is elsewhere, and how far it is. */
export interface Replica extends Judge {
  /** The folder of the projections. */
  readonly projectionsFolder: string;
  /** What was read and applied; advances with each batch that was committed. */
  readonly applied: AppliedPosition;
  /** Whether the projections are still being built: nothing can be read of them before `caughtUp`. */
  readonly isBuilding: boolean;
  /** Records of types that this version does not know, since it started. */
  readonly unknownTypes: number;
  /** Why the last batch could not be committed; undefined where it was. */
  readonly lagging: string | undefined;
  /**
   * To be called once, when everything that was in the log at the start was judged: projections that were being built are
   * put in their place and can be read when it resolves. Does nothing where they existed.
   */
  caughtUp(): Promise<void>;
  /** Closes the files and ends the thread. */
  close(): Promise<void>;
}

/**
 * Starts the replica thread on a data folder that the caller has locked. Rejects where the projections cannot be opened;
 * `onDeath` is called then, and when the thread dies later: nothing can be judged any more.
 */
export async function openReplica(folder: string, settings: ProjectionSettings, onDeath: (cause: Error) => void): Promise<Replica> {
  const cause = new Error(`no replica of ${folder} (stages end after ${settings.stageTimeoutMs} ms)`);
  onDeath(cause);
  throw cause;
}
