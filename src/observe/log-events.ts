import type { Logger } from 'pino';
import type { AppliedEvent } from '../projector/feed.ts';

/** Writes what happens to tasks and images to the operator's log, without what callers sent: a secret may be in it. */
export function logEvents(logger: Logger): (events: readonly AppliedEvent[]) => void {
  return (events) => {
    for (const { kind, id, event: { payload, owner } } of events) {
      const fields = kind === 'task' ? { task_id: id, owner } : { image_id: id, owner };
      switch (payload.$case) {
        case 'taskCreated':
          logger.info(fields, 'task accepted');
          break;
        case 'attemptStarted':
          logger.debug({ ...fields, attempt: payload.value.attempt }, 'attempt started');
          break;
        case 'stageCompleted':
          logger.debug({ ...fields, attempt: payload.value.attempt, stage: payload.value.stage, bytes: payload.value.bytes.toString() }, 'stage completed');
          break;
        case 'attemptFailed':
          logger.warn({ ...fields, attempt: payload.value.attempt, reason: payload.value.failure?.reason, retry_time: payload.value.retryTime }, 'attempt failed');
          break;
        case 'taskSucceeded':
          logger.info(fields, 'task succeeded');
          break;
        case 'taskFailed':
          logger.warn({ ...fields, reason: payload.value.failure?.reason, stage: payload.value.failure?.stage }, 'task failed');
          break;
        case 'taskCanceled':
          logger.info(fields, 'task canceled');
          break;
        case 'imageDeleted':
          logger.info(fields, 'image deleted');
          break;
        case 'cancelRequested':
        case 'imageStored':
        case 'taskExpired':
        case 'imageRegistered':
        case 'imageUpdated':
          logger.debug(fields, payload.$case);
          break;
        default:
          payload satisfies never;
      }
    }
  };
}
