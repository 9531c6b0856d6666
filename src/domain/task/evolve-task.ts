import type { StageCompleted } from '../../gen/lehr/v1/event.ts';
import type { DomainEvent } from '../decision.ts';
import type { TaskPayload } from './task-command.ts';
import type { ExistingTask, RunningTask, TaskFacts, TaskState } from './task-state.ts';

/**
 * The state after `event`. Pure and total for every history that `decideTask` can write; an event that cannot follow
 * `state` means that the log or this code is broken, and throws.
 */
export function evolveTask(id: string, state: TaskState, event: DomainEvent<TaskPayload>): ExistingTask {
  const { payload, time, owner } = event;
  if (payload.$case === 'taskCreated') {
    if (state.status !== 'absent') throw impossible(state, payload);
    const { spec, labels, ttl, requestId, fingerprint } = payload.value;
    if (spec === undefined || ttl === undefined) throw impossible(state, payload);
    return {
      status: 'pending', id, owner, spec, labels, requestId, fingerprint,
      ttlMs: Number(ttl.seconds) * 1_000 + Math.trunc(ttl.nanos / 1e6),
      revision: 1n, createTime: time, updateTime: time, startTime: undefined,
      attempt: 0, failedAttempts: 0, lostAttempts: 0, recorded: [], retryTime: undefined, failure: undefined,
    };
  }
  if (state.status === 'absent') throw impossible(state, payload);
  const facts: TaskFacts = { ...factsOf(state), revision: state.revision + 1n, updateTime: time };
  switch (payload.$case) {
    case 'attemptStarted': {
      const { attempt, node, incarnation } = payload.value;
      if (state.status !== 'pending') expectActive(state, payload);
      if (attempt !== state.attempt + 1) throw impossible(state, payload);
      const lostAttempts = facts.lostAttempts + (state.status === 'running' ? 1 : 0);
      const startTime = facts.startTime ?? time;
      return { ...facts, status: 'running', attempt, lostAttempts, startTime, node, incarnation, cancelRequested: false, stageTime: time, completed: [] };
    }
    case 'stageCompleted': {
      const running = expectAttempt(state, payload);
      const found = payload.value;
      const recorded = withFound(facts.recorded, found);
      return { ...running, ...facts, status: 'running', stageTime: time, completed: [...running.completed, found], recorded };
    }
    case 'cancelRequested':
      return { ...expectActive(state, payload), ...facts, status: 'running', cancelRequested: true };
    case 'imageStored':
      expectAttempt(state, payload);
      return { ...facts, status: 'committed', stored: payload.value, storedTime: time };
    case 'attemptFailed': {
      const { failure, retryTime } = payload.value;
      expectAttempt(state, payload);
      return { ...facts, status: 'pending', failedAttempts: facts.failedAttempts + 1, failure, retryTime };
    }
    case 'taskSucceeded': {
      const { result, expireTime } = payload.value;
      if (result === undefined || expireTime === undefined) throw impossible(state, payload);
      if (state.status !== 'committed') expectActive(state, payload);
      const stored = state.status === 'committed' ? state.stored : undefined;
      return { ...facts, status: 'succeeded', result, stored, endTime: time, expireTime };
    }
    case 'taskFailed': {
      const { failure, expireTime } = payload.value;
      if (failure === undefined || expireTime === undefined) throw impossible(state, payload);
      expectActive(state, payload);
      return { ...facts, status: 'failed', failure, endTime: time, expireTime };
    }
    case 'taskCanceled': {
      const { expireTime } = payload.value;
      if (expireTime === undefined) throw impossible(state, payload);
      if (state.status !== 'pending' && state.status !== 'running') throw impossible(state, payload);
      return { ...facts, status: 'canceled', endTime: time, expireTime };
    }
    case 'taskExpired':
      if (state.status !== 'succeeded' && state.status !== 'failed' && state.status !== 'canceled') throw impossible(state, payload);
      return { ...facts, status: 'expired', last: state.status, endTime: state.endTime, expireTime: state.expireTime };
    default:
      return payload satisfies never;
  }
}

function factsOf(state: ExistingTask): TaskFacts {
  const { id, owner, spec, labels, ttlMs, requestId, fingerprint, revision, createTime, updateTime } = state;
  const { attempt, startTime, failedAttempts, lostAttempts, recorded } = state;
  return {
    id, owner, spec, labels, ttlMs, requestId, fingerprint, revision, createTime, updateTime,
    attempt, startTime, failedAttempts, lostAttempts, recorded,
  };
}

/** One that found the same as an earlier attempt did adds nothing. */
function withFound(recorded: readonly StageCompleted[], found: StageCompleted): readonly StageCompleted[] {
  const isNews = found.digest !== '' && !recorded.some(({ stage, digest }) => stage === found.stage && digest === found.digest);
  return isNews ? [...recorded, found] : recorded;
}

/** An attempt that was asked to stop is followed by nothing but `taskCanceled`. */
function expectActive(state: TaskState, payload: TaskPayload): RunningTask {
  if (state.status !== 'running' || state.cancelRequested) throw impossible(state, payload);
  return state;
}

type AttemptPayload = Extract<TaskPayload, { $case: 'stageCompleted' | 'imageStored' | 'attemptFailed' }>;

/** Only the newest attempt is heard; an earlier one lost its place to it on this very stream. */
function expectAttempt(state: TaskState, payload: AttemptPayload): RunningTask {
  const running = expectActive(state, payload);
  if (payload.value.attempt !== running.attempt) throw impossible(state, payload);
  return running;
}

function impossible(state: TaskState, payload: TaskPayload): Error {
  return new Error(`event ${payload.$case} cannot follow a task that is ${state.status}`);
}
