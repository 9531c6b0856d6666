import type { Progress, Task } from '../../gen/lehr/v1/task.ts';
import { formatBytes } from './format-bytes.ts';
import { formatClock } from './format-time.ts';

/** What there is to show about something that takes a while. */
export interface ProgressView {
  /** What is going on: `fetch`, `waiting to start`. A change of it is news, also where progress is not shown live. */
  readonly activity: string;
  /** Absent where there are no bytes to count. `bytesTotal` 0: unknown. */
  readonly progress?: Progress;
}

/** What a task that has not ended is doing. */
export function viewTask(task: Task): ProgressView {
  const attempt = task.attempt > 1 ? ` (attempt ${task.attempt})` : '';
  if (task.cancelRequested) return { activity: `stopping${attempt}` };
  if (task.state === 'STATE_RUNNING') {
    const stage = task.progress?.stage ?? '';
    return stage === '' ? { activity: `running${attempt}` } : { activity: `${stage}${attempt}`, progress: task.progress };
  }
  if (task.failure === undefined) return { activity: 'waiting to start' };
  const when = task.retryTime === undefined ? '' : ` at ${task.retryTime.toISOString().slice(11, 19)} UTC`;
  return { activity: `waiting to try again${when}: ${task.failure.message}` };
}

/** The share that is done, from 0 to 100, rounded down; `undefined` while the total is unknown. */
export function percentOf(progress: Progress): number | undefined {
  if (progress.bytesTotal === 0n) return undefined;
  return Math.min(100, Number((progress.bytesDone * 100n) / progress.bytesTotal));
}

/** Bytes, rate and time left as texts, those that are known: `540.2 MiB of 1.2 GiB`, `85.1 MiB/s`, `0:08 left`. */
export function describeProgress(progress: Progress): readonly string[] {
  const { bytesDone, bytesTotal, bytesPerSecond } = progress;
  const texts = [bytesTotal === 0n ? formatBytes(bytesDone) : `${formatBytes(bytesDone)} of ${formatBytes(bytesTotal)}`];
  if (bytesPerSecond > 0n) {
    texts.push(`${formatBytes(bytesPerSecond)}/s`);
    if (bytesTotal > bytesDone) texts.push(`${formatClock(Number(bytesTotal - bytesDone) / Number(bytesPerSecond))} left`);
  }
  return texts;
}
