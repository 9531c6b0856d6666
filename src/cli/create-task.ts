import type { CreateTaskRequest, ImportPreview } from '../gen/lehr/v1/task_service.ts';
import type { Task } from '../gen/lehr/v1/task.ts';
import type { CommandContext } from './command-context.ts';
import { CommandError } from './command-error.ts';
import { pauseBeforeRetry } from './pause.ts';
import { isUnavailable } from './resume-stream.ts';

/** How often a task is asked for while the server is unavailable; with the pauses between, about three seconds. */
export const createTries = 5;

/** The task that was accepted, and with `validateOnly` what it would find. */
export interface Created {
  readonly task: Task;
  readonly preview: ImportPreview | undefined;
}

/**
 * Creates a task. `request.requestId` must be set: it makes asking again harmless, so a connection that drops before the
 * answer came is no reason to fail, and two tasks are never made. Where the outcome stays unknown, the error says how
 * to ask again under the same id.
 */
export async function createTask({ api, output, signal }: CommandContext, request: CreateTaskRequest): Promise<Created> {
  for (let tries = 1; ; tries += 1) {
    try {
      const { task, preview } = await api.createTask(request, signal);
      if (task === undefined) throw new Error('the server answered without a task');
      return { task, preview };
    } catch (error) {
      if (!isUnavailable(error) || tries === createTries) throw withRequestId(error, request);
      if (tries === 1) output.note(`lehr: ${error.message}; trying again`);
      try {
        await pauseBeforeRetry(tries, signal);
      } catch (interrupted) {
        throw withRequestId(interrupted, request);
      }
    }
  }
}

/** An outcome that is not known. */
const UNKNOWN_OUTCOME: ReadonlySet<string> = new Set(['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED']);

function withRequestId(error: unknown, { requestId, validateOnly }: CreateTaskRequest): unknown {
  if (!(error instanceof CommandError) || !UNKNOWN_OUTCOME.has(error.code) || validateOnly) return error;
  return error.withHints(`the task may have been accepted; to ask again without making a second one, add --request-id ${requestId}`);
}
