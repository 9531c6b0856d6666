import test from 'ava';

import { describeTask } from '../../src/domain/task/describe-task.ts';
import { evolveTask } from '../../src/domain/task/evolve-task.ts';
import type { TaskPayload } from '../../src/domain/task/task-command.ts';
import { absentTask, type TaskFacts, type TaskState } from '../../src/domain/task/task-state.ts';
import type { Task } from '../../src/gen/lehr/v1/task.ts';
import {
  at, cancel, complete, confirmCancel, create, deliver, delivered, expire, fail, fetched, forbidden, spec, start, store, stored, succeed,
  taskAfter, taskId, ttlSeconds, unreachable,
} from './task-fixtures.ts';

const born: TaskFacts = {
  id: taskId, owner: 'blue', spec, labels: { env: 'prod' }, ttlMs: ttlSeconds * 1_000, requestId: 'r-1', fingerprint: Buffer.from('same'),
  revision: 1n, createTime: at(0), updateTime: at(0), startTime: undefined, attempt: 0, failedAttempts: 0, lostAttempts: 0, recorded: [],
};
const once = { ...born, attempt: 1, startTime: at(1) };
const twice = { ...born, attempt: 2, startTime: at(1), failedAttempts: 1 };
const result = {
  imageId: taskId, location: '', digest: stored(2).digest, sizeBytes: 65_536n, format: 'DISK_FORMAT_QCOW2' as const, guestDigest: '', verified: false,
};
const life = { node: 'node-1', cancelRequested: false, completed: [] };
const toSecondAttempt = [create(0), start(1), fail(2, 1), start(10)];

const histories: readonly (readonly [title: string, state: TaskState, expected: TaskState, shown: Partial<Task>])[] = [
  [
    'created', taskAfter(create(0)),
    { ...born, status: 'pending', retryTime: undefined, failure: undefined },
    { state: 'STATE_PENDING', revision: 1n, updateTime: at(0) },
  ],
  [
    'started', taskAfter(create(0), start(1)),
    { ...once, ...life, status: 'running', revision: 2n, updateTime: at(1), incarnation: 'life-1', stageTime: at(1) },
    { state: 'STATE_RUNNING', revision: 2n, attempt: 1, startTime: at(1), updateTime: at(1) },
  ],
  [
    'a stage completed', taskAfter(create(0), start(1), complete(4, 1)),
    { ...once, recorded: [fetched(1)], ...life, status: 'running', revision: 3n, updateTime: at(4), incarnation: 'life-1', stageTime: at(4), completed: [fetched(1)] },
    { state: 'STATE_RUNNING', revision: 3n, attempt: 1, startTime: at(1), updateTime: at(4) },
  ],
  [
    'failed once', taskAfter(create(0), start(1), complete(1.5, 1), fail(2, 1)),
    { ...once, recorded: [fetched(1)], status: 'pending', revision: 4n, updateTime: at(2), failedAttempts: 1, retryTime: at(3), failure: unreachable },
    {
      state: 'STATE_PENDING', revision: 4n, attempt: 1, startTime: at(1), updateTime: at(2), retryTime: at(3),
      failure: unreachable,
    },
  ],
  [
    'started again', taskAfter(...toSecondAttempt),
    { ...twice, ...life, status: 'running', revision: 4n, updateTime: at(10), incarnation: 'life-10', stageTime: at(10) },
    { state: 'STATE_RUNNING', revision: 4n, attempt: 2, startTime: at(1), updateTime: at(10) },
  ],
  [
    'taken over from a dead node', taskAfter(create(0), start(1), complete(4, 1), start(9, true)),
    {
      ...once, recorded: [fetched(1)], ...life, status: 'running', revision: 4n, updateTime: at(9), attempt: 2, lostAttempts: 1, incarnation: 'life-9', stageTime: at(9),
    },
    { state: 'STATE_RUNNING', revision: 4n, attempt: 2, startTime: at(1), updateTime: at(9) },
  ],
  [
    'asked to stop', taskAfter(create(0), start(1), complete(4, 1), cancel(5)),
    {
      ...once, recorded: [fetched(1)], ...life, status: 'running', revision: 4n, updateTime: at(5), incarnation: 'life-1', stageTime: at(4), completed: [fetched(1)],
      cancelRequested: true,
    },
    { state: 'STATE_RUNNING', revision: 4n, attempt: 1, startTime: at(1), updateTime: at(5), cancelRequested: true },
  ],
  [
    'stored', taskAfter(...toSecondAttempt, complete(11, 2), store(12, 2)),
    { ...twice, recorded: [fetched(2)], status: 'committed', revision: 6n, updateTime: at(12), stored: stored(2), storedTime: at(12) },
    { state: 'STATE_RUNNING', revision: 6n, attempt: 2, startTime: at(1), updateTime: at(12) },
  ],
  [
    'succeeded', taskAfter(...toSecondAttempt, store(12, 2), succeed(13)),
    {
      ...twice, status: 'succeeded', revision: 6n, updateTime: at(13), stored: stored(2), result, endTime: at(13), expireTime: at(13 + ttlSeconds),
    },
    {
      state: 'STATE_SUCCEEDED', revision: 6n, attempt: 2, startTime: at(1), updateTime: at(13), endTime: at(13), expireTime: at(13 + ttlSeconds),
      result,
    },
  ],
  [
    'delivered', taskAfter(create(0), start(1), deliver(8, 1)),
    {
      ...once, status: 'succeeded', revision: 3n, updateTime: at(8), stored: undefined, result: delivered, endTime: at(8),
      expireTime: at(8 + ttlSeconds),
    },
    {
      state: 'STATE_SUCCEEDED', revision: 3n, attempt: 1, startTime: at(1), updateTime: at(8), endTime: at(8), expireTime: at(8 + ttlSeconds),
      result: delivered,
    },
  ],
  [
    'failed for good', taskAfter(...toSecondAttempt, fail(15, 2, forbidden)),
    {
      ...twice, status: 'failed', revision: 5n, updateTime: at(15), failure: forbidden, endTime: at(15), expireTime: at(15 + ttlSeconds),
    },
    {
      state: 'STATE_FAILED', revision: 5n, attempt: 2, startTime: at(1), updateTime: at(15), endTime: at(15), expireTime: at(15 + ttlSeconds),
      failure: forbidden,
    },
  ],
  [
    'canceled before it began', taskAfter(create(0), cancel(5)),
    { ...born, status: 'canceled', revision: 2n, updateTime: at(5), endTime: at(5), expireTime: at(5 + ttlSeconds) },
    { state: 'STATE_CANCELED', revision: 2n, updateTime: at(5), endTime: at(5), expireTime: at(5 + ttlSeconds) },
  ],
  [
    'canceled while it ran', taskAfter(create(0), start(1), cancel(5), confirmCancel(6, 1)),
    { ...once, status: 'canceled', revision: 4n, updateTime: at(6), endTime: at(6), expireTime: at(6 + ttlSeconds) },
    {
      state: 'STATE_CANCELED', revision: 4n, attempt: 1, startTime: at(1), updateTime: at(6), endTime: at(6), expireTime: at(6 + ttlSeconds),
    },
  ],
  [
    'expired', taskAfter(...toSecondAttempt, store(12, 2), succeed(13), expire(13 + ttlSeconds)),
    {
      ...twice, status: 'expired', revision: 7n, updateTime: at(13 + ttlSeconds), last: 'succeeded', endTime: at(13), expireTime: at(13 + ttlSeconds),
    },
    {
      state: 'STATE_EXPIRED', revision: 7n, attempt: 2, startTime: at(1), updateTime: at(13 + ttlSeconds), endTime: at(13),
      expireTime: at(13 + ttlSeconds),
    },
  ],
];

for (const [title, state, expected, shown] of histories) {
  test(`the state of a task that is ${title}`, (t) => {
    t.deepEqual(state, expected);
  });

  test(`what the API shows of a task that is ${title}`, (t) => {
    const blank: Task = {
      id: taskId, state: 'STATE_UNSPECIFIED', spec, result: undefined, failure: undefined, progress: undefined, owner: 'blue',
      labels: { env: 'prod' }, attempt: 0, revision: 0n, createTime: at(0), updateTime: undefined, startTime: undefined, endTime: undefined,
      expireTime: undefined, retryTime: undefined, cancelRequested: false,
    };
    t.deepEqual(state.status === 'absent' ? undefined : describeTask(state), { ...blank, ...shown });
  });
}

const duration = { seconds: 60n, nanos: 0 };
const expireTime = at(99);
const payloads: Readonly<Record<string, TaskPayload>> = {
  created: { $case: 'taskCreated', value: { spec, labels: {}, ttl: duration, requestId: '', fingerprint: Buffer.alloc(32) } },
  created_without_spec: { $case: 'taskCreated', value: { spec: undefined, labels: {}, ttl: duration, requestId: '', fingerprint: Buffer.alloc(32) } },
  first_attempt: { $case: 'attemptStarted', value: { attempt: 1, node: 'n', incarnation: 'i' } },
  third_attempt: { $case: 'attemptStarted', value: { attempt: 3, node: 'n', incarnation: 'i' } },
  stage: { $case: 'stageCompleted', value: fetched(2) },
  stage_of_another: { $case: 'stageCompleted', value: fetched(1) },
  stored: { $case: 'imageStored', value: stored(2) },
  stored_by_another: { $case: 'imageStored', value: stored(1) },
  attempt_failed: { $case: 'attemptFailed', value: { attempt: 2, failure: unreachable, retryTime: at(98) } },
  another_failed: { $case: 'attemptFailed', value: { attempt: 1, failure: unreachable, retryTime: at(98) } },
  cancel_requested: { $case: 'cancelRequested', value: {} },
  succeeded: { $case: 'taskSucceeded', value: { result, expireTime } },
  succeeded_without_result: { $case: 'taskSucceeded', value: { result: undefined, expireTime } },
  failed: { $case: 'taskFailed', value: { failure: forbidden, expireTime } },
  failed_without_reason: { $case: 'taskFailed', value: { failure: undefined, expireTime } },
  canceled: { $case: 'taskCanceled', value: { expireTime } },
  canceled_without_time: { $case: 'taskCanceled', value: { expireTime: undefined } },
  expired: { $case: 'taskExpired', value: {} },
};

/** The events that may follow each state; every other one means that the log or the code is broken. */
const possible: readonly (readonly [title: string, state: TaskState, events: string])[] = [
  ['absent', absentTask, 'created'],
  ['pending', taskAfter(create(0)), 'first_attempt canceled'],
  ['running', taskAfter(...toSecondAttempt), 'third_attempt stage stored attempt_failed cancel_requested succeeded failed canceled'],
  ['canceling', taskAfter(...toSecondAttempt, cancel(11)), 'canceled'],
  ['committed', taskAfter(...toSecondAttempt, store(11, 2)), 'succeeded'],
  ['succeeded', taskAfter(...toSecondAttempt, store(11, 2), succeed(12)), 'expired'],
  ['failed', taskAfter(...toSecondAttempt, fail(12, 2, forbidden)), 'expired'],
  ['canceled', taskAfter(create(0), cancel(5)), 'expired'],
  ['expired', taskAfter(create(0), cancel(5), expire(5 + ttlSeconds)), ''],
];

for (const [title, state, events] of possible) {
  test(`what cannot follow a task that is ${title} throws`, (t) => {
    const taken = Object.entries(payloads).filter(([, payload]) => {
      try {
        evolveTask(taskId, state, { payload, time: at(50), owner: 'blue' });
        return true;
      } catch (error) {
        t.regex((error as Error).message, /^event [a-zA-Z]+ cannot follow a task that is [a-z]+$/);
        return false;
      }
    });
    t.deepEqual(taken.map(([name]) => name), events.split(' ').filter(Boolean));
  });
}
