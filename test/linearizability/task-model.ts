import type { Operation, Seen } from './operation.ts';

/** Where a task stands. `stopping`: its attempt was asked to stop. `committed`: its image is stored, it can only succeed. */
export type Phase = 'absent' | 'pending' | 'running' | 'stopping' | 'committed' | 'succeeded' | 'failed' | 'canceled' | 'expired';

/** One task as a client can know it. */
export interface TaskModel {
  readonly phase: Phase;
  /** The number of its events. */
  readonly revision: number;
  /** What it was created with; undefined while it is absent. */
  readonly content: string | undefined;
}

/** Before anything was asked for. */
export const absentModel: TaskModel = { phase: 'absent', revision: 0, content: undefined };

/**
 * What becomes of a task by itself, one event each: attempts start, complete stages, fail and are repeated or give up,
 * images are stored, exports succeed without one, tasks end and expire. Nothing is canceled that nobody wanted canceled.
 */
const stepsFrom: Readonly<Record<Phase, readonly Phase[]>> = {
  absent: [],
  pending: ['running'],
  running: ['running', 'pending', 'committed', 'succeeded', 'failed'],
  stopping: ['canceled'],
  committed: ['succeeded'],
  succeeded: ['expired'],
  failed: ['expired'],
  canceled: ['expired'],
  expired: [],
};

const shownAs: Readonly<Record<Phase, { readonly state: Seen['state']; readonly cancelRequested: boolean } | undefined>> = {
  absent: undefined,
  pending: { state: 'STATE_PENDING', cancelRequested: false },
  running: { state: 'STATE_RUNNING', cancelRequested: false },
  stopping: { state: 'STATE_RUNNING', cancelRequested: true },
  committed: { state: 'STATE_RUNNING', cancelRequested: false },
  succeeded: { state: 'STATE_SUCCEEDED', cancelRequested: false },
  failed: { state: 'STATE_FAILED', cancelRequested: false },
  canceled: { state: 'STATE_CANCELED', cancelRequested: false },
  expired: { state: 'STATE_EXPIRED', cancelRequested: false },
};

const cancelRefusals: Readonly<Partial<Record<Phase, string>>> = {
  absent: 'TASK_NOT_FOUND', committed: 'TASK_COMMITTED', succeeded: 'TASK_ENDED', failed: 'TASK_ENDED', expired: 'TASK_EXPIRED',
};

/** The task after the next thing that happens to it by itself; `from` may lead to several. */
export function stepsOf(from: TaskModel): readonly TaskModel[] {
  return stepsFrom[from.phase].map((phase) => ({ ...from, phase, revision: from.revision + 1 }));
}

/** Whether an answer may show the task so. */
export function shows({ state, cancelRequested, revision }: Seen, model: TaskModel): boolean {
  const shown = shownAs[model.phase];
  return shown?.state === state && shown.cancelRequested === cancelRequested && model.revision === revision;
}

/**
 * The task after `operation` was carried out on it and answered as it was; the same object where it changes nothing; undefined
 * where such an answer cannot be. An operation without an answer may do whatever its call does.
 */
export function carryOut(model: TaskModel, { call, answer }: Operation): TaskModel | undefined {
  switch (call.kind) {
    case 'create':
      if (model.phase === 'absent' && call.needsImage === true && isUnfit(answer)) return model;
      if (model.phase === 'absent') return answered({ phase: 'pending', revision: 1, content: call.content }, answer);
      return model.content === call.content ? answered(model, answer) : refusedWith('REQUEST_ID_REUSED', model, answer);
    case 'cancel':
      return cancel(model, answer);
    case 'get':
      if (model.phase === 'absent') return refusedWith('TASK_NOT_FOUND', model, answer);
      return model.phase === 'expired' ? refusedWith('TASK_EXPIRED', model, answer) : answered(model, answer);
    default:
      return call satisfies never;
  }
}

function isUnfit(answer: Operation['answer']): boolean {
  return answer.kind === 'refused' && answer.reason === 'INVALID_REQUEST';
}

function cancel(model: TaskModel, answer: Operation['answer']): TaskModel | undefined {
  const refusal = cancelRefusals[model.phase];
  if (refusal !== undefined) return refusedWith(refusal, model, answer);
  if (model.phase === 'stopping' || model.phase === 'canceled') return answered(model, answer);
  const phase = model.phase === 'pending' ? 'canceled' : 'stopping';
  return answered({ ...model, phase, revision: model.revision + 1 }, answer);
}

function answered(next: TaskModel, answer: Operation['answer']): TaskModel | undefined {
  if (answer.kind === 'unknown') return next;
  return answer.kind === 'ok' && shows(answer.seen, next) ? next : undefined;
}

function refusedWith(reason: string, model: TaskModel, answer: Operation['answer']): TaskModel | undefined {
  if (answer.kind === 'unknown') return model;
  return answer.kind === 'refused' && answer.reason === reason ? model : undefined;
}
