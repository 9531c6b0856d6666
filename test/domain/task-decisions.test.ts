import test from 'ava';

import { failureMessageLimit } from '../../src/domain/failures.ts';
import { lostAttemptLimit, retryDelayMs } from '../../src/domain/limits.ts';
import { decideTask } from '../../src/domain/task/decide-task.ts';
import type { TaskCommand, TaskPayload } from '../../src/domain/task/task-command.ts';
import { absentTask, type TaskState } from '../../src/domain/task/task-state.ts';
import {
  at, cancel, complete, create, deliver, delivered, expire, expireAttempt, fail, fetched, forbidden, spec, start, store, stored, succeed,
  taskAfter, taskId, ttlSeconds, unreachable,
} from './task-fixtures.ts';

const running = taskAfter(create(0), start(1));
const committed = taskAfter(create(0), start(1), store(2, 1));
const expireTime = at(20 + ttlSeconds);
const result = {
  imageId: taskId, location: '', digest: stored(1).digest, sizeBytes: 65_536n, format: 'DISK_FORMAT_QCOW2' as const, guestDigest: '', verified: false,
};

type Row = readonly [title: string, state: TaskState, command: TaskCommand, payload: TaskPayload];

const decisions: readonly Row[] = [
  ['a task is created as asked for', absentTask, create(20), {
    $case: 'taskCreated',
    value: { spec, labels: { env: 'prod' }, ttl: { seconds: BigInt(ttlSeconds), nanos: 0 }, requestId: 'r-1', fingerprint: Buffer.from('same') },
  }],
  ['the first attempt is number 1', taskAfter(create(0)), start(20), {
    $case: 'attemptStarted', value: { attempt: 1, node: 'node-1', incarnation: 'life-20' },
  }],
  ['an attempt that replaces a dead one has the next number', running, start(20, true), {
    $case: 'attemptStarted', value: { attempt: 2, node: 'node-1', incarnation: 'life-20' },
  }],
  ['what a stage found is kept as it is', running, complete(20, 1), { $case: 'stageCompleted', value: fetched(1) }],
  ['what was stored is kept as it is', running, store(20, 1), { $case: 'imageStored', value: stored(1) }],
  ['a delivery ends the task with its result', running, deliver(20, 1), { $case: 'taskSucceeded', value: { result: delivered, expireTime } }],
  ['the result of an import is what was stored', committed, succeed(20), { $case: 'taskSucceeded', value: { result, expireTime } }],
  ['the first failure is retried after a second', running, fail(20, 1), {
    $case: 'attemptFailed', value: { attempt: 1, failure: unreachable, retryTime: at(21) },
  }],
  ['the third failure is retried after four seconds', taskAfter(create(0), start(1), fail(2, 1), start(5), fail(6, 2), start(9)), fail(20, 3), {
    $case: 'attemptFailed', value: { attempt: 3, failure: unreachable, retryTime: at(24) },
  }],
  ...([['7', 27], ['99999', 620], ['0', 21], ['-5', 21], ['soon', 21]] as const).map(([seconds, second]): Row => {
    const asked = { ...unreachable, metadata: { retry_after_seconds: seconds } };
    return [`a source that asks for ${seconds} s is tried again at ${second}`, running, fail(20, 1, asked), {
      $case: 'attemptFailed', value: { attempt: 1, failure: asked, retryTime: at(second) },
    }];
  }),
  ['what cannot be retried fails the task as it is', running, fail(20, 1, forbidden), { $case: 'taskFailed', value: { failure: forbidden, expireTime } }],
  ['a task that is tried only once says nothing of attempts', running, fail(20, 1, unreachable, 1), {
    $case: 'taskFailed', value: { failure: { ...unreachable, metadata: { failed_attempts: '1' } }, expireTime },
  }],
  ['a task that gives up says after how many attempts', taskAfter(create(0), start(1), fail(2, 1), start(5)), fail(20, 2, unreachable, 2), {
    $case: 'taskFailed',
    value: {
      failure: { ...unreachable, message: `${unreachable.message} Gave up after 2 failed attempts.`, metadata: { failed_attempts: '2' } },
      expireTime,
    },
  }],
  ['a hanging worker is a deadline that passed', running, expireAttempt(200), {
    $case: 'attemptFailed',
    value: {
      attempt: 1,
      failure: {
        reason: 'REASON_DEADLINE_EXCEEDED', stage: '', message: 'The running stage did not end within 30 s and its worker stopped answering.',
        metadata: { node: 'node-1' }, retryable: true,
      },
      retryTime: at(201),
    },
  }],
  [
    'too many dead nodes end the task',
    taskAfter(create(0), start(1), ...Array.from({ length: lostAttemptLimit - 1 }, () => start(2, true))),
    start(20, true),
    {
      $case: 'taskFailed',
      value: {
        failure: {
          reason: 'REASON_ATTEMPTS_EXHAUSTED', stage: '', retryable: false, metadata: { attempts: '20' },
          message: '20 attempts died together with the node that ran them. Ask the operator to look at the nodes\' logs.',
        },
        expireTime,
      },
    },
  ],
  ['a task that waits is canceled at once', taskAfter(create(0)), cancel(20), { $case: 'taskCanceled', value: { expireTime } }],
  ['a task that runs is asked to stop', running, cancel(20), { $case: 'cancelRequested', value: {} }],
  ['an ended task expires', taskAfter(create(0), cancel(20 - ttlSeconds)), expire(20), { $case: 'taskExpired', value: {} }],
];

for (const [title, state, command, payload] of decisions) {
  test(title, (t) => {
    t.deepEqual(decideTask(state, command), { kind: 'event', event: { payload, time: at(20 + (command.type === 'expireAttempt' ? 180 : 0)), owner: 'blue' } });
  });
}

test('a long message makes room for the number of attempts', (t) => {
  const long = { ...unreachable, message: 'x'.repeat(failureMessageLimit) };
  const decision = decideTask(taskAfter(create(0), start(1), fail(2, 1), start(5)), fail(20, 2, long, 2));
  const suffix = ' Gave up after 2 failed attempts.';
  t.is(
    decision.kind === 'event' && decision.event.payload.$case === 'taskFailed' ? decision.event.payload.value.failure?.message : undefined,
    'x'.repeat(failureMessageLimit - suffix.length) + suffix,
  );
});

test('the wait doubles up to its bound and stays there', (t) => {
  t.deepEqual([1, 2, 3, 4, 5, 6, 100, 5_000].map(retryDelayMs), [1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000]);
});
