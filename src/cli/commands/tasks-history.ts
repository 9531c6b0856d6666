import { Command } from 'commander';

import type { CommandContext, Runner } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { printHistory } from '../print-history.ts';

const examples = `
Examples:
  $ lehr tasks history 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e
  $ lehr tasks history 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e --json | jq -r '[.revision, .type, .hash] | @tsv'`;

/** `lehr tasks history ID`. */
export function tasksHistoryCommand(run: Runner): Command {
  return new Command('history')
    .summary('print every event of a task')
    .description('Print every event of a task, one per line: revision, time, type and what matters most. Works for expired tasks too.')
    .argument('<id>', 'the task\'s id')
    .addHelpText('after', examples)
    .action((id: string, _options: object, command: Command) => run(command, (context) => showHistory(context, id)));
}

async function showHistory(context: CommandContext, id: string): Promise<ExitCode> {
  await printHistory(context, `tasks/${id}`);
  return exitCodes.success;
}
