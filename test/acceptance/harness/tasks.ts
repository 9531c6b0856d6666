import type { CreateTaskRequest } from '../../../src/gen/lehr/v1/task_service.ts';
import type { CloneImage, ImportImage, Task } from '../../../src/gen/lehr/v1/task.ts';
import type { Api } from './api.ts';
import type { Part } from './part.ts';

/** The request to import from `sourceUri`. */
export function importFrom(sourceUri: string, spec: Part<ImportImage> = {}): Part<CreateTaskRequest> {
  return { spec: { kind: { $case: 'importImage', value: { sourceUri, ...spec } } } };
}

/** Has an import accepted, and gives its task. */
export async function createImport(
  api: Api, sourceUri: string, rest: Part<CreateTaskRequest> = {}, spec: Part<ImportImage> = {},
): Promise<Task> {
  const { task } = await api.createTask({ ...importFrom(sourceUri, spec), ...rest });
  if (task === undefined) throw new Error('a create was answered without a task');
  return task;
}

/** Has a clone accepted, and gives its task. */
export async function createClone(api: Api, spec: Part<CloneImage>, rest: Part<CreateTaskRequest> = {}): Promise<Task> {
  const { task } = await api.createTask({ spec: { kind: { $case: 'cloneImage', value: spec } }, ...rest });
  if (task === undefined) throw new Error('a create was answered without a task');
  return task;
}

/** Whether a task has come to its end. */
export function hasEnded({ state }: Task): boolean {
  return state === 'STATE_SUCCEEDED' || state === 'STATE_FAILED' || state === 'STATE_CANCELED';
}

/** Watches until each of the tasks is as asked for, and gives them as they were then, in that order; throws where one ends otherwise. */
export async function awaitTasks(
  api: Api, ids: readonly string[], isAsAsked: (task: Task) => boolean = hasEnded,
): Promise<readonly Task[]> {
  const found = new Map<string, Task>();
  const missing = new Set(ids);
  if (missing.size === 0) return [];
  for await (const { message } of api.watchTasks({})) {
    if (message?.$case !== 'snapshot' && message?.$case !== 'change') continue;
    const task = message.value;
    if (!missing.has(task.id)) continue;
    if (!isAsAsked(task)) {
      if (hasEnded(task)) throw new Error(`a task ended and was never as asked for: ${task.state} ${task.failure?.message ?? ''}`);
      continue;
    }
    found.set(task.id, task);
    missing.delete(task.id);
    if (missing.size === 0) break;
  }
  if (missing.size > 0) throw new Error(`the watch ended before ${missing.size} tasks were as asked for`);
  return ids.map((id) => found.get(id)!);
}

/** The same for one task. */
export async function awaitTask(api: Api, id: string, isAsAsked?: (task: Task) => boolean): Promise<Task> {
  const [task] = await awaitTasks(api, [id], isAsAsked);
  return task!;
}

/** Watches until a task is in the middle of a stage; throws where it ends before. */
export async function awaitStage(api: Api, id: string, stage: string): Promise<void> {
  for await (const { message } of api.watchTasks({})) {
    if (message?.$case === 'progress' && message.value.id === id && message.value.progress?.stage === stage && message.value.progress.bytesDone > 0n) return;
    if ((message?.$case === 'snapshot' || message?.$case === 'change') && message.value.id === id && hasEnded(message.value)) break;
  }
  throw new Error(`the task ended and was never seen in ${stage}`);
}
