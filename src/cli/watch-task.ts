import type { Task } from '../gen/lehr/v1/task.ts';
import type { WatchTasksResponse } from '../gen/lehr/v1/task_service.ts';
import type { Api } from './api.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { isEnded } from './output/names.ts';
import { quoteFilterText } from './parse/filter.ts';
import { resumeStream } from './resume-stream.ts';

/** One message of the watch, as it came, and the task as it is after it. */
export interface TaskUpdate {
  readonly message: WatchTasksResponse;
  readonly task: Task;
}

/** What a watch needs besides the server. */
export interface WatchEnvironment {
  readonly nowMs: () => number;
  readonly onLost: () => void;
  readonly pause?: (tries: number, signal: AbortSignal) => Promise<void>;
}

/**
 * Watches one task, known from `task`, until it has ended; ends after the message that says so. Survives lost connections
 * by bookmark. Throws `CommandError`: NOT_FOUND when the task leaves the lists first.
 */
export async function* watchTask(
  api: Api, task: Task, environment: WatchEnvironment, signal: AbortSignal,
): AsyncGenerator<TaskUpdate, void, undefined> {
  const filter = `id = ${quoteFilterText(task.id)}`;
  const messages = resumeStream<WatchTasksResponse>({
    ...environment,
    open: (resumeToken, inner) => api.watchTasks({ filter, resumeToken }, inner),
    tokenOf,
    firstToken: '',
    endsByItself: false,
    wasReached: true,
  }, signal);
  let current = task;
  for await (const message of messages) {
    const next = applyMessage(current, message);
    if (next === undefined) continue;
    current = next;
    yield { message, task: current };
    if (isEnded(current.state)) return;
  }
}

/** The place that a message names, to resume from. */
export function tokenOf({ message }: WatchTasksResponse): string | undefined {
  return message?.$case === 'snapshotEnd' || message?.$case === 'bookmark' ? message.value.resumeToken : undefined;
}

/** The task after a message; `undefined` where the message is not about it. */
function applyMessage(task: Task, { message }: WatchTasksResponse): Task | undefined {
  switch (message?.$case) {
    case 'snapshot':
    case 'change':
      return message.value.id === task.id && message.value.revision >= task.revision ? withProgress(message.value, task) : undefined;
    case 'progress':
      return message.value.id === task.id && task.state === 'STATE_RUNNING' ? { ...task, progress: message.value.progress } : undefined;
    case 'removed':
      if (message.value.id === task.id) throw gone(task.id);
      return undefined;
    case 'snapshotEnd':
    case 'bookmark':
    case undefined:
      return undefined;
    default:
      return message satisfies never;
  }
}

/** Progress is a signal that a changed task may come without: within an attempt the last one known still holds. */
function withProgress(task: Task, before: Task): Task {
  const isSameAttempt = task.state === 'STATE_RUNNING' && task.attempt === before.attempt;
  return task.progress === undefined && isSameAttempt ? { ...task, progress: before.progress } : task;
}

function gone(id: string): CommandError {
  return new CommandError(exitCodes.notFound, 'NOT_FOUND', 'TASK_EXPIRED', `task ${id} ended and has expired meanwhile`, {
    hints: [`its events are still there: lehr tasks history ${id}`],
  });
}
