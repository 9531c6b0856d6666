import { Command } from 'commander';

import type { CommandContext, Runner } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { escapeText } from '../output/escape-text.ts';

const examples = `
Example:
  $ lehr tasks cancel 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e

Canceling a task that is canceled already succeeds. A task that has ended, or whose image is already stored, is refused (exit code 4).`;

/** `lehr tasks cancel ID`. */
export function tasksCancelCommand(run: Runner): Command {
  return new Command('cancel')
    .summary('ask a task to stop')
    .description('Ask a task to stop. Returns at once; a running attempt stops within about a second.')
    .argument('<id>', 'the task\'s id')
    .addHelpText('after', examples)
    .action((id: string, _options: object, command: Command) => run(command, (context) => cancelTask(context, id)));
}

async function cancelTask({ api, output, signal, commandLine }: CommandContext, id: string): Promise<ExitCode> {
  const { task } = await api.cancelTask({ id }, signal);
  if (task === undefined) throw new Error('the server answered without a task');
  const shownId = escapeText(task.id);
  if (output.isJson) await output.json(task);
  else if (task.state === 'STATE_CANCELED') await output.lines(`task ${shownId} is canceled`);
  else await output.lines(`task ${shownId} was asked to stop`, `watch it: ${commandLine(`tasks watch ${shownId}`)}`);
  return exitCodes.success;
}
