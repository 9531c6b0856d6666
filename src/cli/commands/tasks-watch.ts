import { Command } from 'commander';

import type { WatchTasksResponse } from '../../gen/lehr/v1/task_service.ts';
import { awaitTask, describeOutcome, exitCodeOfTask } from '../await-task.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { fetchTask } from '../fetch-task.ts';
import { formatTaskLine } from '../output/task-line.ts';
import { resumeStream } from '../resume-stream.ts';
import { tokenOf } from '../watch-task.ts';

const examples = `
Examples:
  $ lehr tasks watch 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e     # until it has ended; the exit code says how
  $ lehr tasks watch                                          # all tasks, until Ctrl-C
  $ lehr tasks watch --filter 'labels.env = "prod"' --json | jq -c .change`;

/** `lehr tasks watch [ID]`. */
export function tasksWatchCommand(run: Runner): Command {
  return new Command('watch')
    .summary('follow a task until it has ended, or all tasks')
    .description('Follow a task until it has ended, or, without an id, all tasks until Ctrl-C. Goes on by itself when the server restarts.')
    .argument('[id]', 'the task\'s id')
    .option('--filter <filter>', 'only tasks that match this filter of the API; without an id')
    .addHelpText('after', examples)
    .action((id: string | undefined, options: { readonly filter?: string }, command: Command) => run(command, (context) =>
      id === undefined ? watchTasks(context, options.filter ?? '') : watchOne(context, id)));
}

async function watchOne(context: CommandContext, id: string): Promise<ExitCode> {
  const { output } = context;
  const found = await fetchTask(context, id);
  if (output.isJson) await output.json({ snapshot: found });
  const ended = await awaitTask(context, found, ({ message }) => (output.isJson ? output.json(message) : Promise.resolve()));
  if (!output.isJson) await output.lines(...describeOutcome(ended, context));
  return exitCodeOfTask(ended);
}

async function watchTasks({ api, output, signal, nowMs }: CommandContext, filter: string): Promise<ExitCode> {
  const messages = resumeStream<WatchTasksResponse>({
    open: (resumeToken, inner) => api.watchTasks({ filter, resumeToken }, inner),
    tokenOf,
    firstToken: '',
    endsByItself: false,
    wasReached: false,
    onLost: () => output.note('lehr: the connection to the server was lost; trying again'),
    nowMs,
  }, signal);
  for await (const message of messages) {
    if (output.isJson) await output.json(message);
    else await output.lines(...formatTaskLine(message, output.style));
  }
  return exitCodes.success;
}
