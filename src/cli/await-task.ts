import type { Task } from '../gen/lehr/v1/task.ts';
import type { CommandContext } from './command-context.ts';
import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { escapeText } from './output/escape-text.ts';
import { formatFields } from './output/format-fields.ts';
import { imageNameOf, isEnded, kindName } from './output/names.ts';
import { createProgressDisplay } from './output/progress-display.ts';
import { viewTask } from './output/progress-view.ts';
import { failureFields, resultFields } from './output/task-page.ts';
import { watchTask } from './watch-task.ts';
import type { TaskUpdate } from './watch-task.ts';

/**
 * Waits until a task has ended, showing how far it is, and returns it. `onUpdate` is told every message of the watch. When
 * the wait is given up (Ctrl-C, `--timeout`, a server that stays away) the task goes on, and the error says so.
 */
export async function awaitTask(
  context: CommandContext, task: Task, onUpdate: (update: TaskUpdate) => Promise<void> = () => Promise.resolve(),
): Promise<Task> {
  const { output, api, signal, now, nowMs } = context;
  if (isEnded(task.state)) return task;
  const display = createProgressDisplay(output, now);
  const onLost = (): void => display.note('lehr: the connection to the server was lost; trying again');
  let current = task;
  try {
    display.show(viewTask(task));
    for await (const update of watchTask(api, task, { nowMs, onLost }, signal)) {
      current = update.task;
      if (!isEnded(current.state)) display.show(viewTask(current));
      await onUpdate(update);
    }
    return current;
  } catch (error) {
    throw stoppedWaiting(context, task.id, error);
  } finally {
    display.end();
  }
}

function stoppedWaiting({ commandLine }: CommandContext, id: string, error: unknown): unknown {
  if (!(error instanceof CommandError) || error.exitCode === exitCodes.notFound) return error;
  const { exitCode, code, reason, violations, hints } = error;
  return new CommandError(exitCode, code, reason, `stopped waiting (${error.message}); task ${id} goes on`, {
    violations,
    metadata: { ...error.metadata, task_id: id },
    hints: [...hints, `watch it:  ${commandLine(`tasks watch ${id}`)}`, `cancel it: ${commandLine(`tasks cancel ${id}`)}`],
    cause: error,
  });
}

/** What a task that has ended came to, for people. */
export function describeOutcome(task: Task, { output, commandLine }: CommandContext): readonly string[] {
  const { style } = output;
  const name = imageNameOf(task);
  const title = escapeText(`${kindName(task.spec)} ${task.id}${name === '' ? '' : ` (${name})`}`);
  switch (task.state) {
    case 'STATE_SUCCEEDED': {
      const { result } = task;
      const lines = result === undefined ? [] : formatFields(resultFields(result));
      return [style.good(`${title} succeeded`), ...lines.map((line) => `  ${line}`)];
    }
    case 'STATE_FAILED': {
      const fields = task.failure === undefined ? [] : formatFields(failureFields(task.failure));
      return [style.bad(`${title} failed`), ...fields.map((line) => `  ${line}`), `  ${commandLine(`tasks history ${task.id}`)} tells the whole story`];
    }
    case 'STATE_CANCELED':
      return [`${title} was canceled`];
    case 'STATE_EXPIRED':
      return [`${title} has ended and expired`];
    case 'STATE_PENDING':
    case 'STATE_RUNNING':
    case 'STATE_UNSPECIFIED':
    case 'UNRECOGNIZED':
      return [`${title} goes on`];
    default:
      return task.state satisfies never;
  }
}

/** The exit code that says what a task came to. */
export function exitCodeOfTask({ state }: Task): ExitCode {
  if (state === 'STATE_FAILED') return exitCodes.failed;
  return state === 'STATE_CANCELED' ? exitCodes.canceled : exitCodes.success;
}
