import type { Clock } from '../domain/clock.ts';
import { taskSubject } from '../domain/subject.ts';
import type { ReadSide } from '../streams/read-side.ts';
import { needsJob } from './needs-job.ts';

/** What a node knows about tasks and their runners. */
export interface DueTasksDeps {
  readonly readSide: Pick<ReadSide, 'fold'>;
  readonly clock: Clock;
  /** This life of the node. */
  readonly incarnation: string;
  /** Whether another incarnation may be replaced (design rule 8). */
  readonly isDead: (incarnation: string) => boolean;
  /** Whether the worker of this process has the task in its hands. */
  readonly isWorkedOn: (taskId: string) => boolean;
}

/**
 * The sweep's look at a task: whether a job for it would change something now, as far as this node knows. An attempt of this
 * very process that nobody works on was set aside when its event could not be stored: it is due too.
 */
export function dueTasks({ readSide, clock, incarnation, isDead, isWorkedOn }: DueTasksDeps): (taskId: string) => boolean {
  const isGone = (runner: string): boolean => runner === incarnation || isDead(runner);
  return (taskId) => {
    if (isWorkedOn(taskId)) return false;
    // Folded past the cache of states: a sweep looks at each task once, and the cache is for those that are written to.
    const { stream } = readSide.fold(taskSubject(taskId));
    return stream?.kind === 'task' && needsJob(stream.state, clock.now(), isGone);
  };
}
