import type { Decision } from '../decision.ts';
import { decideCompleteStage, decideDeliverResult, decideStoreImage } from './decide-progress.ts';
import { decideConfirmCancel, decideRequestCancel } from './decide-cancel.ts';
import { decideExpireAttempt, decideFailAttempt } from './decide-failure.ts';
import { decideExpireTask, decideSucceedTask } from './decide-end.ts';
import { decideCreateTask } from './decide-create.ts';
import { decideStartAttempt } from './decide-start.ts';
import type { TaskCommand, TaskPayload } from './task-command.ts';
import type { TaskState } from './task-state.ts';

/**
 * What `command` does to a task in `state`: one event, a named refusal, or nothing because it is so already. Pure: time
 * and ids arrive in the command. Every pair of state and command has an answer; a table in the tests lists them all.
 */
export function decideTask(state: TaskState, command: TaskCommand): Decision<TaskPayload> {
  switch (command.type) {
    case 'createTask':
      return decideCreateTask(state, command);
    case 'startAttempt':
      return decideStartAttempt(state, command);
    case 'completeStage':
      return decideCompleteStage(state, command);
    case 'storeImage':
      return decideStoreImage(state, command);
    case 'deliverResult':
      return decideDeliverResult(state, command);
    case 'failAttempt':
      return decideFailAttempt(state, command);
    case 'expireAttempt':
      return decideExpireAttempt(state, command);
    case 'requestCancel':
      return decideRequestCancel(state, command);
    case 'confirmCancel':
      return decideConfirmCancel(state, command);
    case 'succeedTask':
      return decideSucceedTask(state, command);
    case 'expireTask':
      return decideExpireTask(state, command);
    default:
      return command satisfies never;
  }
}
