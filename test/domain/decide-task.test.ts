import test from 'ava';

import type { Decision } from '../../src/domain/decision.ts';
import { lostAttemptLimit } from '../../src/domain/limits.ts';
import { decideTask } from '../../src/domain/task/decide-task.ts';
import type { TaskCommand } from '../../src/domain/task/task-command.ts';
import { absentTask, type TaskState } from '../../src/domain/task/task-state.ts';
import {
  cancel, complete, confirmCancel, create, deliver, expire, expireAttempt, fail, forbidden, start, store, succeed, taskAfter, ttlSeconds,
} from './task-fixtures.ts';

/** The second attempt runs since second 10, and its newest stage too. */
const toSecondAttempt = [create(0), start(1), fail(2, 1), start(10)];
const lostAttempts = Array.from({ length: lostAttemptLimit - 1 }, () => start(10, true));
const ended = 15;

const states: Readonly<Record<string, TaskState>> = {
  'absent': absentTask,
  'pending': taskAfter(create(0)),
  'retrying': taskAfter(create(0), start(1), fail(99.5, 1)),
  'running': taskAfter(...toSecondAttempt),
  'often-lost': taskAfter(create(0), start(1), fail(2, 1), start(10), ...lostAttempts),
  'canceling': taskAfter(...toSecondAttempt, cancel(11)),
  'committed': taskAfter(...toSecondAttempt, store(11, 2)),
  'succeeded': taskAfter(...toSecondAttempt, store(11, 2), succeed(ended)),
  'failed': taskAfter(...toSecondAttempt, fail(ended, 2, forbidden)),
  'canceled': taskAfter(...toSecondAttempt, cancel(11), confirmCancel(ended, 2)),
  'expired': taskAfter(...toSecondAttempt, fail(ended, 2, forbidden), expire(ended + ttlSeconds)),
};

/** `often-lost` is at this attempt. */
const last = 1 + lostAttemptLimit;

/** Everywhere else than in `running` and `canceling`, an attempt is refused because it is not running. */
const notRunning = {
  TASK_NOT_FOUND: 'absent',
  ATTEMPT_NOT_RUNNING: 'pending retrying',
  TASK_COMMITTED: 'committed',
  TASK_ENDED: 'succeeded failed canceled',
  TASK_EXPIRED: 'expired',
};
const superseded = { ...notRunning, ATTEMPT_SUPERSEDED: 'running often-lost canceling' };

/** For every command, what it makes of a task in each state: the event's name, the refusal's reason, or `unchanged`. */
const table: readonly (readonly [name: string, command: TaskCommand, outcomes: Readonly<Record<string, string>>])[] = [
  ['create, the same request', create(100), {
    taskCreated: 'absent',
    unchanged: 'pending retrying running often-lost canceling committed succeeded failed canceled expired',
  }],
  ['create, another request', create(100, 'other'), {
    taskCreated: 'absent',
    REQUEST_ID_REUSED: 'pending retrying running often-lost canceling committed succeeded failed canceled expired',
  }],
  ['start, runner alive', start(100), {
    ...notRunning,
    attemptStarted: 'pending', ATTEMPT_NOT_RUNNING: '', NOT_DUE: 'retrying', ATTEMPT_RUNNING: 'running often-lost canceling',
  }],
  ['start, runner dead', start(100, true), {
    ...notRunning,
    attemptStarted: 'pending running', ATTEMPT_NOT_RUNNING: '', NOT_DUE: 'retrying', taskFailed: 'often-lost', taskCanceled: 'canceling',
  }],
  ['start, at the retry time', start(100.5), {
    ...notRunning,
    attemptStarted: 'pending retrying', ATTEMPT_NOT_RUNNING: '', ATTEMPT_RUNNING: 'running often-lost canceling',
  }],
  ['complete a stage', complete(100, 2), {
    ...notRunning, stageCompleted: 'running', ATTEMPT_SUPERSEDED: 'often-lost', CANCEL_REQUESTED: 'canceling',
  }],
  ['complete a stage, attempt superseded', complete(100, 1), superseded],
  ['complete a stage, newest of many attempts', complete(100, last), {
    ...notRunning, stageCompleted: 'often-lost', ATTEMPT_SUPERSEDED: 'running canceling',
  }],
  ['store', store(100, 2), {
    ...notRunning, imageStored: 'running', ATTEMPT_SUPERSEDED: 'often-lost', CANCEL_REQUESTED: 'canceling',
  }],
  ['store, attempt superseded', store(100, 1), superseded],
  ['store, newest of many attempts', store(100, last), {
    ...notRunning, imageStored: 'often-lost', ATTEMPT_SUPERSEDED: 'running canceling',
  }],
  ['deliver', deliver(100, 2), {
    ...notRunning, taskSucceeded: 'running', ATTEMPT_SUPERSEDED: 'often-lost', CANCEL_REQUESTED: 'canceling',
  }],
  ['deliver, attempt superseded', deliver(100, 1), superseded],
  ['fail, retryable', fail(100, 2), {
    ...notRunning, attemptFailed: 'running', ATTEMPT_SUPERSEDED: 'often-lost', taskCanceled: 'canceling',
  }],
  ['fail, not retryable', fail(100, 2, forbidden), {
    ...notRunning, taskFailed: 'running', ATTEMPT_SUPERSEDED: 'often-lost', taskCanceled: 'canceling',
  }],
  ['fail, retryable, limit reached', fail(100, 2, undefined, 2), {
    ...notRunning, taskFailed: 'running', ATTEMPT_SUPERSEDED: 'often-lost', taskCanceled: 'canceling',
  }],
  ['fail, attempt superseded', fail(100, 1), superseded],
  ['fail, newest of many attempts', fail(100, last), {
    ...notRunning, attemptFailed: 'often-lost', ATTEMPT_SUPERSEDED: 'running canceling',
  }],
  ['expire the attempt, overdue', expireAttempt(100), {
    ...notRunning, attemptFailed: 'running often-lost', taskCanceled: 'canceling',
  }],
  ['expire the attempt, overdue, limit reached', expireAttempt(100, 2), {
    ...notRunning, taskFailed: 'running often-lost', taskCanceled: 'canceling',
  }],
  ['expire the attempt, a moment early', expireAttempt(99.999), { ...notRunning, ATTEMPT_NOT_OVERDUE: 'running often-lost canceling' }],
  ['request a cancel', cancel(100), {
    ...notRunning,
    ATTEMPT_NOT_RUNNING: '', taskCanceled: 'pending retrying', cancelRequested: 'running often-lost',
    TASK_ENDED: 'succeeded failed', unchanged: 'canceling canceled',
  }],
  ['confirm a cancel', confirmCancel(100, 2), {
    ...notRunning,
    CANCEL_NOT_REQUESTED: 'running', ATTEMPT_SUPERSEDED: 'often-lost', taskCanceled: 'canceling', TASK_ENDED: 'succeeded failed', unchanged: 'canceled',
  }],
  ['confirm a cancel, attempt superseded', confirmCancel(100, 1), { ...superseded, TASK_ENDED: 'succeeded failed', unchanged: 'canceled' }],
  ['succeed', succeed(100), {
    ...notRunning,
    TASK_COMMITTED: '', TASK_NOT_COMMITTED: 'running often-lost canceling', taskSucceeded: 'committed',
    TASK_ENDED: 'failed canceled', unchanged: 'succeeded',
  }],
  ['expire, due', expire(ended + ttlSeconds), {
    TASK_NOT_FOUND: 'absent', TASK_NOT_ENDED: 'pending retrying running often-lost canceling committed',
    taskExpired: 'succeeded failed canceled', unchanged: 'expired',
  }],
  ['expire, a moment early', expire(ended + ttlSeconds - 0.001), {
    TASK_NOT_FOUND: 'absent', TASK_NOT_ENDED: 'pending retrying running often-lost canceling committed',
    NOT_DUE: 'succeeded failed canceled', unchanged: 'expired',
  }],
];

const nameOf = (decision: Decision): string => {
  switch (decision.kind) {
    case 'event':
      return decision.event.payload.$case;
    case 'refused':
      return decision.reason;
    case 'unchanged':
      return 'unchanged';
    default:
      return decision satisfies never;
  }
};

const pairs = (outcomes: Readonly<Record<string, string>>): readonly (readonly [state: string, outcome: string])[] =>
  Object.entries(outcomes).flatMap(([outcome, names]) => names.split(' ').filter(Boolean).map((name) => [name, outcome] as const));

for (const [name, command, outcomes] of table) {
  test(`${name}: one answer in every state`, (t) => {
    // Every state once and no other: a pair that is missing from the table, or stands in it twice, fails here.
    t.deepEqual(pairs(outcomes).map(([state]) => state).toSorted(), Object.keys(states).toSorted());
    const answers = Object.entries(states).map(([state, value]) => [state, nameOf(decideTask(value, command))] as const);
    t.deepEqual(Object.fromEntries(answers), Object.fromEntries(pairs(outcomes)));
  });
}

test('the table has every command', (t) => {
  const all: Readonly<Record<TaskCommand['type'], true>> = {
    createTask: true, startAttempt: true, completeStage: true, storeImage: true, deliverResult: true, failAttempt: true,
    expireAttempt: true, requestCancel: true, confirmCancel: true, succeedTask: true, expireTask: true,
  };
  t.deepEqual([...new Set(table.map(([, command]) => command.type))].toSorted(), Object.keys(all).toSorted());
});

test('the table has every status', (t) => {
  const all: Readonly<Record<TaskState['status'], true>> = {
    absent: true, pending: true, running: true, committed: true, succeeded: true, failed: true, canceled: true, expired: true,
  };
  t.deepEqual([...new Set(Object.values(states).map((state) => state.status))].toSorted(), Object.keys(all).toSorted());
});

test('every refusal says why in a sentence', (t) => {
  for (const [, command] of table) {
    for (const state of Object.values(states)) {
      const decision = decideTask(state, command);
      if (decision.kind === 'refused') t.regex(decision.message, /^[A-Z].+\.$/);
    }
  }
});
