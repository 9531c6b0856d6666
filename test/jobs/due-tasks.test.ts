import test from 'ava';
import { emptyStream, type StreamState } from '../../src/domain/fold.ts';
import type { TaskState } from '../../src/domain/task/task-state.ts';
import { dueTasks } from '../../src/jobs/due-tasks.ts';
import { emptyHead } from '../../src/log/head.ts';
import { startPosition } from '../../src/log/position.ts';
import { at, cancel, complete, create, expire, fail, forbidden, start, store, succeed, taskAfter, taskId, ttlSeconds, unreachable } from '../domain/task-fixtures.ts';

/** The incarnation that `start(1)` names. */
const runner = 'life-1';

interface Look {
  readonly state: TaskState;
  /** Seconds after the task was created. */
  readonly seconds?: number;
  readonly dead?: readonly string[];
  readonly own?: string;
  readonly isWorkedOn?: boolean;
  readonly isDue: boolean;
}

const absent: TaskState = { status: 'absent' };
const waiting = taskAfter(create(0));
const running = taskAfter(create(0), start(1));
const failedOnce = taskAfter(create(0), start(1), fail(2, 1, unreachable));
const committed = taskAfter(create(0), start(1), complete(2, 1), store(3, 1));

const looks: Readonly<Record<string, Look>> = {
  'a task that was just created': { state: waiting, isDue: true },
  'a task that this process has in its hands': { state: waiting, isWorkedOn: true, isDue: false },
  'a task whose next attempt is not due yet': { state: failedOnce, seconds: 2.999, isDue: false },
  'a task whose next attempt is due': { state: failedOnce, seconds: 3, isDue: true },
  'an attempt whose runner lives': { state: running, isDue: false },
  'an attempt whose runner lives, however long it takes': { state: running, seconds: 1e6, isDue: false },
  'an attempt whose runner is dead': { state: running, dead: [runner], isDue: true },
  'an attempt of this process that nobody works on': { state: running, own: runner, isDue: true },
  'an attempt of this process that is worked on': { state: running, own: runner, isWorkedOn: true, isDue: false },
  'a task to be canceled whose runner lives': { state: taskAfter(create(0), start(1), cancel(2)), isDue: false },
  'a task to be canceled whose runner is dead': { state: taskAfter(create(0), start(1), cancel(2)), dead: [runner], isDue: true },
  'a task that is committed': { state: committed, isDue: true },
  'a task that is committed and being finished here': { state: committed, isWorkedOn: true, isDue: false },
  'a task that succeeded': { state: taskAfter(create(0), start(1), store(3, 1), succeed(4)), dead: [runner], isDue: false },
  'a task that failed': { state: taskAfter(create(0), start(1), fail(2, 1, forbidden)), dead: [runner], isDue: false },
  'a task that was canceled': { state: taskAfter(create(0), cancel(1)), isDue: false },
  'a task that has expired': { state: taskAfter(create(0), cancel(1), expire(1 + ttlSeconds)), isDue: false },
  'a task that is not known here': { state: absent, isDue: false },
};

for (const [name, { state, seconds = 60, dead = [], own = 'life-of-this-node', isWorkedOn = false, isDue }] of Object.entries(looks)) {
  test(`${name} ${isDue ? 'is' : 'is not'} due`, (t) => {
    const stream = state.status === 'absent' ? emptyStream(`tasks/${taskId}`) : { kind: 'task', id: taskId, state } satisfies StreamState;
    const due = dueTasks({
      readSide: { fold: () => ({ stream, head: emptyHead, position: startPosition }) },
      clock: { now: () => at(seconds), monotonicMs: () => 0, schedule: () => () => undefined },
      incarnation: own,
      isDead: (incarnation) => dead.includes(incarnation),
      isWorkedOn: () => isWorkedOn,
    });
    t.is(due(taskId), isDue);
  });
}
