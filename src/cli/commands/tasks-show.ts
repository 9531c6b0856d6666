import { Command } from 'commander';

import type { CommandContext, Runner } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { fetchTask } from '../fetch-task.ts';
import { formatFields } from '../output/format-fields.ts';
import { taskFields } from '../output/task-page.ts';

const examples = `
Examples:
  $ lehr tasks show 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e
  $ lehr tasks show 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e --json | jq .failure`;

/** `lehr tasks show ID`. */
export function tasksShowCommand(run: Runner): Command {
  return new Command('show')
    .summary('show everything about a task')
    .description('Show everything about a task: what was asked for, how far it is, what it made, or why it failed and what to do.')
    .argument('<id>', 'the task\'s id')
    .addHelpText('after', examples)
    .action((id: string, _options: object, command: Command) => run(command, (context) => showTask(context, id)));
}

async function showTask(context: CommandContext, id: string): Promise<ExitCode> {
  const task = await fetchTask(context, id);
  if (context.output.isJson) await context.output.json(task);
  else await context.output.lines(...formatFields(taskFields(task, context.now())));
  return exitCodes.success;
}
