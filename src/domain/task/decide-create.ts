import { refused, unchanged, type Decision } from '../decision.ts';
import type { CreateTask, TaskPayload } from './task-command.ts';
import { happened } from './task-event.ts';
import type { TaskState } from './task-state.ts';

/** A task is created once; the same request again is answered with the task that exists (AIP-155), however it stands. */
export function decideCreateTask(state: TaskState, command: CreateTask): Decision<TaskPayload> {
  if (state.status === 'absent') {
    const { spec, labels, ttl, requestId, fingerprint } = command;
    return happened(command, command.now, {
      $case: 'taskCreated',
      value: { spec, labels: { ...labels }, ttl, requestId, fingerprint },
    });
  }
  if (state.fingerprint.equals(command.fingerprint)) return unchanged;
  return refused('REQUEST_ID_REUSED', 'This request_id was used for a request with other content. Use a new one.');
}
