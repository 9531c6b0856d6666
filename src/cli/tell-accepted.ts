import type { Task } from '../gen/lehr/v1/task.ts';
import { awaitTask, describeOutcome, exitCodeOfTask } from './await-task.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';
import { escapeText } from './output/escape-text.ts';

/** Tells of a task that was accepted; with `wait` it waits for its end, tells of that too, and the exit code says how it ended. */
export async function tellAccepted(context: CommandContext, created: Task, wait: boolean): Promise<ExitCode> {
  const { output, commandLine } = context;
  const id = escapeText(created.id);
  if (!wait) {
    if (output.isJson) await output.json(created);
    else await output.lines(`task ${id} accepted`, `watch it: ${commandLine(`tasks watch ${id}`)}`);
    return exitCodes.success;
  }
  if (!output.isJson) await output.lines(`task ${id} accepted`);
  const ended = await awaitTask(context, created);
  if (output.isJson) await output.json(ended);
  else await output.lines(...describeOutcome(ended, context));
  return exitCodeOfTask(ended);
}
