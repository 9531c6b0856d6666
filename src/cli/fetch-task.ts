import type { Task } from '../gen/lehr/v1/task.ts';
import type { CommandContext } from './command-context.ts';

/** The task with this id. Throws `CommandError`, NOT_FOUND where there is none. */
export async function fetchTask({ api, signal }: CommandContext, id: string): Promise<Task> {
  const { task } = await api.getTask({ id, readToken: '' }, signal);
  if (task === undefined) throw new Error('the server answered without a task');
  return task;
}
