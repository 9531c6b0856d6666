import { Command } from 'commander';

import type { Runner } from '../command-context.ts';
import { tasksCancelCommand } from './tasks-cancel.ts';
import { tasksHistoryCommand } from './tasks-history.ts';
import { tasksListCommand } from './tasks-list.ts';
import { tasksShowCommand } from './tasks-show.ts';
import { tasksWatchCommand } from './tasks-watch.ts';

/** `lehr tasks …`. */
export function tasksCommand(run: Runner): Command {
  return new Command('tasks')
    .summary('list, show, watch and cancel tasks')
    .description('List, show, watch and cancel tasks, and read their history.')
    .helpCommand(false)
    .addCommand(tasksListCommand(run))
    .addCommand(tasksShowCommand(run))
    .addCommand(tasksWatchCommand(run))
    .addCommand(tasksCancelCommand(run))
    .addCommand(tasksHistoryCommand(run));
}
