import test from 'ava';

import { decideTask } from '../../src/domain/task/decide-task.ts';
import { evolveTask } from '../../src/domain/task/evolve-task.ts';
import type { TaskCommand, TaskPayload } from '../../src/domain/task/task-command.ts';
import { absentTask, type TaskState } from '../../src/domain/task/task-state.ts';
import { seededRandom } from './seeded-random.ts';
import {
  cancel, complete, confirmCancel, create, deliver, expire, expireAttempt, fail, forbidden, start, store, succeed, taskId, unreachable,
} from './task-fixtures.ts';

const walks = 400;
const steps = 60;

interface Walk {
  readonly states: readonly TaskState[];
  readonly events: readonly TaskPayload[];
}

/** A command out of all of them, mostly for the newest attempt and sometimes for another. */
function anyCommand(state: TaskState, seconds: number, random: () => number): TaskCommand {
  const chance = (share: number): boolean => random() < share;
  const newest = state.status === 'absent' ? 0 : state.attempt;
  const attempt = chance(0.8) ? newest : Math.max(0, newest - 1 + Math.floor(random() * 3));
  const commands = [
    () => create(seconds, chance(0.5) ? 'same' : 'other'),
    () => start(seconds, chance(0.3)),
    () => start(seconds, chance(0.3)),
    () => complete(seconds, attempt),
    () => complete(seconds, attempt),
    () => store(seconds, attempt),
    () => deliver(seconds, attempt),
    () => fail(seconds, attempt, chance(0.8) ? unreachable : forbidden),
    () => expireAttempt(seconds),
    () => cancel(seconds),
    () => confirmCancel(seconds, attempt),
    () => succeed(seconds),
    () => expire(seconds),
  ] as const;
  return (commands[Math.floor(random() * commands.length)] ?? commands[0])();
}

function walk(seed: number): Walk {
  const random = seededRandom(seed);
  const states: TaskState[] = [absentTask];
  const events: TaskPayload[] = [];
  let state: TaskState = absentTask;
  let seconds = 0;
  for (let step = 0; step < steps; step += 1) {
    // Mostly moments, sometimes long enough for a deadline or an expiry.
    seconds += random() < 0.9 ? random() * 2 : random() * 2_000;
    const decision = decideTask(state, anyCommand(state, seconds, random));
    if (decision.kind !== 'event') continue;
    state = evolveTask(taskId, state, decision.event);
    states.push(state);
    events.push(decision.event.payload);
  }
  return { states, events };
}

const all = Array.from({ length: walks }, (_, seed) => walk(seed));
const terminal: readonly TaskState['status'][] = ['succeeded', 'failed', 'canceled', 'expired'];

test('whatever was decided can be folded, and every event counts one revision', (t) => {
  for (const { states } of all) {
    t.deepEqual(states.slice(1).map((state) => (state.status === 'absent' ? 0n : state.revision)), states.slice(1).map((_, index) => BigInt(index + 1)));
  }
});

test('an ended task stays ended: only expiry follows, once', (t) => {
  for (const { states } of all) {
    const end = states.findIndex((state) => terminal.includes(state.status));
    if (end === -1) continue;
    t.deepEqual(states.slice(end + 1).map((state) => state.status), states.length > end + 1 ? ['expired'] : []);
  }
});

test('a task that is canceled or failed never stored an image, and one that stored an image only succeeds', (t) => {
  for (const { events } of all) {
    const storedAt = events.findIndex((event) => event.$case === 'imageStored');
    if (storedAt === -1) continue;
    const expected = ['taskSucceeded', 'taskExpired'];
    const after = events.slice(storedAt + 1).map((event) => event.$case as string);
    t.deepEqual(after, expected.slice(0, after.length));
  }
});

test('attempts are counted without a gap', (t) => {
  for (const { events } of all) {
    const attempts = events.flatMap((event) => (event.$case === 'attemptStarted' ? [event.value.attempt] : []));
    t.deepEqual(attempts, attempts.map((_, index) => index + 1));
  }
});

test('the walks reach every status and every event', (t) => {
  const statuses: Readonly<Record<TaskState['status'], true>> = {
    absent: true, pending: true, running: true, committed: true, succeeded: true, failed: true, canceled: true, expired: true,
  };
  const cases: Readonly<Record<TaskPayload['$case'], true>> = {
    taskCreated: true, attemptStarted: true, stageCompleted: true, imageStored: true, attemptFailed: true, cancelRequested: true,
    taskSucceeded: true, taskFailed: true, taskCanceled: true, taskExpired: true,
  };
  t.deepEqual([...new Set(all.flatMap(({ states }) => states.map((state) => state.status)))].toSorted(), Object.keys(statuses).toSorted());
  t.deepEqual([...new Set(all.flatMap(({ events }) => events.map((event) => event.$case)))].toSorted(), Object.keys(cases).toSorted());
});
