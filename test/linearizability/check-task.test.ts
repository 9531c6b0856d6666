import test from 'ava';

import { checkTask } from './check-task.ts';
import { describeOperation } from './describe-operation.ts';
import { cancel, create, get, getWith, historyOf, refused, shown, unknown } from './history-of.ts';
import type { Written } from './history-of.ts';

const good: Readonly<Record<string, readonly Written[]>> = {
  'nothing was asked for': [],
  'a create, and a read with its token': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [11, 15], call: getWith(0, 1), answer: shown('RUNNING', 2) },
  ],
  'creates of one request id side by side on two nodes': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [1, 9], call: create(), answer: shown('PENDING', 1) },
  ],
  'a create that is repeated after the task has ended, and after it has expired': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [100, 110], call: create(), answer: shown('SUCCEEDED', 6) },
    { at: [200, 210], call: create(), answer: shown('EXPIRED', 7) },
  ],
  'other content under a used request id is refused, whoever came first': [
    { at: [0, 10], call: create('other'), answer: refused('REQUEST_ID_REUSED') },
    { at: [1, 9], call: create(), answer: shown('PENDING', 1) },
  ],
  'a create without an answer, and the repeated one is answered with its task': [
    { at: [0, 10], call: create(), answer: unknown },
    { at: [20, 30], call: create(), answer: shown('RUNNING', 2) },
  ],
  'a create without an answer that lands long after somebody gave up': [
    { at: [0, 10], call: create('late'), answer: unknown },
    { at: [20, 30], call: get, answer: refused('TASK_NOT_FOUND') },
    { at: [40, 50], call: create('late'), answer: shown('PENDING', 1) },
  ],
  'a create without an answer that never landed': [
    { at: [0, 10], call: create('lost'), answer: unknown },
    { at: [20, 30], call: create('disk'), answer: shown('PENDING', 1) },
    { at: [40, 50], call: create('lost'), answer: refused('REQUEST_ID_REUSED') },
  ],
  'a stale read without a token after one that was fresh': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [20, 30], call: get, answer: shown('SUCCEEDED', 5) },
    { at: [40, 50], call: get, answer: shown('RUNNING', 3) },
    { at: [60, 70], call: get, answer: refused('TASK_NOT_FOUND') },
  ],
  'a read with an old token that is older than what others have seen': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [20, 30], call: cancel, answer: shown('RUNNING*', 4) },
    { at: [40, 50], call: getWith(0, 1), answer: shown('RUNNING', 2) },
  ],
  'a cancel of a waiting task': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [20, 30], call: cancel, answer: shown('CANCELED', 2) },
    { at: [40, 50], call: cancel, answer: shown('CANCELED', 2) },
    { at: [60, 70], call: getWith(20, 2), answer: refused('TASK_EXPIRED') },
  ],
  'a cancel of a running task, asked for twice, and its end': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [20, 30], call: cancel, answer: shown('RUNNING*', 4) },
    { at: [20, 31], call: cancel, answer: shown('RUNNING*', 4) },
    { at: [40, 50], call: getWith(20, 4), answer: shown('CANCELED', 5) },
  ],
  'a cancel that comes too late': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [20, 30], call: cancel, answer: refused('TASK_COMMITTED') },
    { at: [40, 50], call: cancel, answer: refused('TASK_ENDED') },
    { at: [60, 70], call: cancel, answer: refused('TASK_EXPIRED') },
  ],
  'a cancel without an answer that was carried out': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [20, 30], call: cancel, answer: unknown },
    { at: [40, 50], call: getWith(0, 1), answer: shown('CANCELED', 2) },
  ],
  'a cancel without an answer that was not': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [20, 30], call: cancel, answer: unknown },
    { at: [40, 50], call: getWith(0, 1), answer: shown('SUCCEEDED', 5) },
  ],
  'a cancel before the create was answered': [
    { at: [0, 100], call: create(), answer: shown('PENDING', 1) },
    { at: [20, 30], call: cancel, answer: refused('TASK_NOT_FOUND') },
    { at: [40, 50], call: cancel, answer: shown('CANCELED', 2) },
  ],
  'attempts that fail and are repeated': [
    { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
    { at: [20, 30], call: getWith(0, 1), answer: shown('RUNNING', 2) },
    { at: [40, 50], call: getWith(0, 1), answer: shown('PENDING', 3) },
    { at: [60, 70], call: getWith(0, 1), answer: shown('RUNNING', 4) },
    { at: [80, 90], call: getWith(0, 1), answer: shown('FAILED', 5) },
  ],
};

interface Caught {
  readonly problem: RegExp;
  /** The operations whose answers are printed. */
  readonly shows: readonly number[];
  readonly written: readonly Written[];
}

const bad: Readonly<Record<string, Caught>> = {
  'an acknowledged create was lost': {
    problem: /^no order/, shows: [1, 2],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: cancel, answer: refused('TASK_NOT_FOUND') },
    ],
  },
  'an acknowledged create was lost, and a repeated one makes the task anew': {
    problem: /^no order/, shows: [2, 3],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: getWith(0, 1), answer: shown('RUNNING', 2) },
      { at: [40, 50], call: create(), answer: shown('PENDING', 1) },
    ],
  },
  'one request id gave two tasks': {
    problem: /^one request id gave two tasks$/, shows: [1, 2],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [0, 10], call: create(), answer: shown('PENDING', 1, 'another') },
    ],
  },
  'one request id with two contents was taken twice': {
    problem: /^no order/, shows: [1, 2],
    written: [
      { at: [0, 10], call: create('disk'), answer: shown('PENDING', 1) },
      { at: [0, 10], call: create('other'), answer: shown('PENDING', 1) },
    ],
  },
  'a read answered with another task': {
    problem: /another task/, shows: [2],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: get, answer: shown('RUNNING', 2, 'another') },
    ],
  },
  'a canceled task succeeded': {
    problem: /^no order/, shows: [2, 3],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: cancel, answer: shown('RUNNING*', 3) },
      { at: [40, 50], call: getWith(0, 1), answer: shown('SUCCEEDED', 6) },
    ],
  },
  'a read with a token saw less': {
    problem: /token of revision 4 saw revision 3/, shows: [2, 3],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: cancel, answer: shown('RUNNING*', 4) },
      { at: [40, 50], call: getWith(20, 4), answer: shown('RUNNING', 3) },
    ],
  },
  'a read with the token of a create found nothing': {
    problem: /token of revision 1 saw revision 0/, shows: [1, 2],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: getWith(0, 1), answer: refused('TASK_NOT_FOUND') },
    ],
  },
  'a cancel was refused for what a stale node believed': {
    problem: /^no order/, shows: [2, 3],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: cancel, answer: shown('CANCELED', 2) },
      { at: [40, 50], call: cancel, answer: refused('TASK_COMMITTED') },
    ],
  },
  'a cancel was told that the task is asked to stop when it had ended already': {
    problem: /^no order/, shows: [2, 3],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: cancel, answer: refused('TASK_ENDED') },
      { at: [40, 50], call: cancel, answer: shown('RUNNING*', 4) },
    ],
  },
  'a task rose from the dead': {
    problem: /^no order/, shows: [2, 3],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: getWith(0, 1), answer: shown('FAILED', 4) },
      { at: [40, 50], call: getWith(0, 1), answer: shown('RUNNING', 5) },
    ],
  },
  'an expired task came back': {
    problem: /^no order/, shows: [2, 3],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: create(), answer: shown('EXPIRED', 6) },
      { at: [40, 50], call: create(), answer: shown('SUCCEEDED', 5) },
    ],
  },
  'two reads saw different states at one revision': {
    problem: /^no order/, shows: [2, 3],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: get, answer: shown('RUNNING', 3) },
      { at: [20, 30], call: get, answer: shown('PENDING', 3) },
    ],
  },
  'a task was canceled that nobody wanted canceled': {
    problem: /^no order/, shows: [2],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 30], call: getWith(0, 1), answer: shown('CANCELED', 2) },
    ],
  },
  'a read showed a task before anybody asked for it': {
    problem: /^no order/, shows: [1],
    written: [
      { at: [0, 5], call: get, answer: shown('PENDING', 1) },
      { at: [10, 20], call: create(), answer: shown('PENDING', 1) },
    ],
  },
  'a read showed what nobody could have done yet': {
    problem: /^no order/, shows: [2],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 25], call: get, answer: shown('RUNNING*', 4) },
      { at: [30, 40], call: cancel, answer: shown('RUNNING*', 4) },
    ],
  },
  'a refusal that is none of those that there are': {
    problem: /^no order/, shows: [2],
    written: [
      { at: [0, 10], call: create(), answer: shown('PENDING', 1) },
      { at: [20, 25], call: cancel, answer: refused('ATTEMPT_NOT_RUNNING') },
    ],
  },
};

for (const [title, written] of Object.entries(good)) {
  test(`good: ${title}`, (t) => {
    t.deepEqual(checkTask(historyOf(...written)), { kind: 'linearizable' });
  });
}

for (const [title, { problem, shows, written }] of Object.entries(bad)) {
  test(`caught: ${title}`, (t) => {
    const verdict = checkTask(historyOf(...written));
    t.is(verdict.kind, 'violation');
    if (verdict.kind !== 'violation') return;
    t.regex(verdict.problem, problem);
    t.deepEqual(verdict.history.filter(({ answer }) => answer.kind !== 'unknown').map(({ number }) => number), shows, 'and no more than that is shown');
  });
}

test('an operation is described in one line', (t) => {
  t.deepEqual(
    historyOf(
      { at: [0, 10], call: create('disk'), answer: shown('PENDING', 1, 'X') },
      { at: [20, 30.25], call: getWith(0, 1), answer: shown('RUNNING*', 3, 'X') },
      { at: [40, 50], call: get, answer: refused('TASK_EXPIRED') },
      { at: [60, 70], call: cancel, answer: unknown },
    ).map(describeOperation),
    [
      '#1 0.0–10.0 ms node-1: create disk → STATE_PENDING at revision 1 of X',
      '#2 20.0–30.3 ms node-1: get with the token of revision 1 → STATE_RUNNING (cancel requested) at revision 3 of X',
      '#3 40.0–50.0 ms node-1: get → refused: TASK_EXPIRED',
      '#4 60.0–? ms node-1: cancel → unknown: DEADLINE_EXCEEDED',
    ],
  );
});
