import type { CreateTaskRequest } from '../gen/lehr/v1/task_service.ts';
import { durationOf } from './parse/duration-of.ts';

/** What every command that creates a task may be given, whatever kind the task is of. */
export interface TaskOptions {
  readonly label?: Readonly<Record<string, string>>;
  /** Milliseconds. */
  readonly ttl?: number;
  readonly requestId?: string;
  readonly validateOnly?: true;
  readonly wait?: true;
}

/** What a request says beside its spec. `newId` makes the request id that sending it again needs. */
export function taskFields({ label, ttl, requestId, validateOnly }: TaskOptions, newId: () => string): Omit<CreateTaskRequest, 'spec'> {
  return { labels: { ...label }, requestId: requestId ?? newId(), ttl: durationOf(ttl), validateOnly: validateOnly === true };
}
