import type { Task } from '../gen/lehr/v1/task.ts';
import type { CommandContext } from './command-context.ts';
import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

/** Tells of a request that was only checked: it would be accepted, as this task. */
export async function tellInOrder({ output }: CommandContext, task: Task): Promise<ExitCode> {
  if (output.isJson) await output.json({ task });
  else await output.lines('the request is in order; nothing was accepted');
  return exitCodes.success;
}
