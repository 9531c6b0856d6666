import type { Task } from '../../gen/lehr/v1/task.ts';
import type { ExistingTask } from './task-state.ts';

/** The task as the public API shows it. `progress` is not known to the log and stays undefined here. */
export function describeTask(state: ExistingTask): Task {
  return {
    id: state.id,
    state: publicStates[state.status],
    spec: state.spec,
    result: state.status === 'succeeded' ? state.result : undefined,
    failure: state.status === 'failed' || state.status === 'pending' ? state.failure : undefined,
    progress: undefined,
    owner: state.owner,
    labels: { ...state.labels },
    attempt: state.attempt,
    revision: state.revision,
    createTime: state.createTime,
    updateTime: state.updateTime,
    startTime: state.startTime,
    endTime: 'endTime' in state ? state.endTime : undefined,
    expireTime: 'expireTime' in state ? state.expireTime : undefined,
    retryTime: state.status === 'pending' ? state.retryTime : undefined,
    cancelRequested: state.status === 'running' && state.cancelRequested,
  };
}

const publicStates = {
  pending: 'STATE_PENDING',
  running: 'STATE_RUNNING',
  committed: 'STATE_RUNNING',
  succeeded: 'STATE_SUCCEEDED',
  failed: 'STATE_FAILED',
  canceled: 'STATE_CANCELED',
  expired: 'STATE_EXPIRED',
} as const satisfies Record<ExistingTask['status'], Task['state']>;
