import { Command, InvalidArgumentError, Option } from 'commander';

import { Task_State } from '../../gen/lehr/v1/task.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { taskColumns } from '../output/task-columns.ts';
import { filterKey, joinFilter, quoteFilterText } from '../parse/filter.ts';
import { parseCount } from '../parse/parse-count.ts';
import { collectPair } from '../parse/parse-pair.ts';
import { defaultLimit, printList } from '../print-list.ts';

interface TaskListOptions {
  readonly state?: Task_State;
  readonly kind?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly filter?: string;
  readonly orderBy?: string;
  readonly limit: number;
}

const examples = `
Examples:
  $ lehr tasks list
  $ lehr tasks list --state running --label env=prod
  $ lehr tasks list --filter 'create_time > "2026-01-01T00:00:00Z"' --order-by 'create_time'
  $ lehr tasks list --state failed --json | jq -r '.failure.reason'`;

/** `lehr tasks list`. */
export function tasksListCommand(run: Runner): Command {
  return new Command('list')
    .summary('list tasks, newest first')
    .description('List tasks, newest first.')
    .option('-s, --state <state>', 'only tasks in this state (pending, running, succeeded, failed, canceled)', parseState)
    .addOption(new Option('-k, --kind <kind>', 'only tasks of this kind').choices(['import', 'export', 'clone']))
    .option('-l, --label <key=value>', 'only tasks with this label; may be repeated', collectPair)
    .option('--filter <filter>', 'a filter of the API, joined to the others by AND')
    .option('--order-by <field>', 'create_time, update_time, end_time or expire_time, with " desc" for newest first')
    .option('--limit <count>', 'show at most so many', parseCount, defaultLimit)
    .addHelpText('after', examples)
    .action((options: TaskListOptions, command: Command) => run(command, (context) => listTasks(context, options)));
}

function parseState(text: string): Task_State {
  const state = Object.values(Task_State).find((name) => name === `STATE_${text.toUpperCase()}`);
  if (state === undefined || state === 'STATE_UNSPECIFIED') throw new InvalidArgumentError('Choose from pending, running, succeeded, failed, canceled.');
  return state;
}

async function listTasks(context: CommandContext, options: TaskListOptions): Promise<ExitCode> {
  const { api, output, signal, now } = context;
  const filter = joinFilter([
    options.state && `state = ${options.state}`,
    options.kind && `kind = ${quoteFilterText(options.kind)}`,
    ...Object.entries(options.label ?? {}).map(([key, value]) => `${filterKey('labels', key)} = ${quoteFilterText(value)}`),
    options.filter,
  ]);
  await printList(context, 'tasks', taskColumns(output.style, now()), options.limit, async (pageSize, pageToken) => {
    const page = await api.listTasks({ pageSize, pageToken, filter, orderBy: options.orderBy ?? '', readToken: '' }, signal);
    return { items: page.tasks, nextPageToken: page.nextPageToken };
  });
  return exitCodes.success;
}
