import type { Answer, AskedCall, Operation, Seen, TokenOrigin } from './operation.ts';

/** The task of the histories that tests write by hand. */
export const taskId = 'e7a8bd0c-6f1e-5b7e-8a55-0b6a3f1c2d4e';

/** An operation as a test writes it: from when to when, what, and what came of it. */
export interface Written {
  readonly at: readonly [startMs: number, endMs: number];
  readonly call: AskedCall;
  readonly answer: Answer;
}

/** Numbers what a test wrote, all of it on one task. */
export function historyOf(...written: readonly Written[]): readonly Operation[] {
  return written.map(({ at: [startMs, endMs], call, answer }, index) => (
    { number: index + 1, requestId: 'request', node: 'node-1', startMs, endMs, call, answer }
  ));
}

export const create = (content = 'disk'): AskedCall => ({ kind: 'create', content });
export const cancel: AskedCall = { kind: 'cancel', id: taskId };
export const get: AskedCall = { kind: 'get', id: taskId, token: undefined };

/** A read with the token of the answer to the call that began at `startMs`. */
export const getWith = (startMs: number, revision: number): AskedCall => ({ kind: 'get', id: taskId, token: { startMs, revision } satisfies TokenOrigin });

/** The task as shown; a state with `*` has a cancel that waits for the attempt to stop. */
export function shown(state: 'PENDING' | 'RUNNING' | 'RUNNING*' | 'SUCCEEDED' | 'FAILED' | 'CANCELED' | 'EXPIRED', revision: number, id = taskId): Answer {
  const name: Seen['state'] = state === 'RUNNING*' ? 'STATE_RUNNING' : `STATE_${state}`;
  return { kind: 'ok', seen: { id, state: name, revision, cancelRequested: state === 'RUNNING*' } };
}

export const refused = (reason: string): Answer => ({ kind: 'refused', reason });
export const unknown: Answer = { kind: 'unknown', why: 'DEADLINE_EXCEEDED' };
