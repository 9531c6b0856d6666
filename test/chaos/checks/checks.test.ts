import test from 'ava';

import type { Event } from '../../../src/gen/lehr/v1/event.ts';
import { cancel, create, historyOf, shown } from '../../linearizability/history-of.ts';
import type { Written } from '../../linearizability/history-of.ts';
import { Ledger } from '../ledger.ts';
import { checkAnswers } from './check-answers.ts';
import { checkChains, checkSameEvents } from './check-chains.ts';
import { checkTasks } from './check-tasks.ts';
import { toldDigest, toldLog, toldSource, toldTask } from './told-log.ts';
import type { Told } from './told-log.ts';
import type { ReadLog } from './read-log.ts';

const good = (url: string): string | undefined => (url === toldSource ? toldDigest : undefined);
const none = (): string | undefined => undefined;

function brokenBy(check: (ledger: Ledger) => void): readonly string[] {
  const ledger = new Ledger();
  check(ledger);
  return ledger.violations.map(({ rule }) => rule);
}

const stored: readonly Told[] = ['taskCreated', 'attemptStarted', 'imageStored'];
const whole: readonly Told[] = [...stored, 'taskSucceeded'];

interface ToldTask {
  readonly task: readonly Told[];
  readonly image?: readonly Told[];
  readonly source?: typeof none;
  readonly breaks: readonly string[];
}

const tasks: Readonly<Record<string, ToldTask>> = {
  'a task that succeeds': { task: whole, image: ['imageRegistered'], breaks: [] },
  'a task that succeeds and expires': { task: [...whole, 'taskExpired'], image: ['imageRegistered'], breaks: [] },
  'a task that fails because of its source': { task: ['taskCreated', 'attemptStarted', 'taskFailed'], source: none, breaks: [] },
  'a task that is canceled': { task: ['taskCreated', 'taskCanceled', 'taskExpired'], breaks: [] },
  'a task that does not end': { task: ['taskCreated', 'attemptStarted'], breaks: ['every task ends once'] },
  'a task that ends twice': {
    task: ['taskCreated', 'taskCanceled', 'taskCanceled'], breaks: ['every task ends once', 'nothing follows the end of a task but its expiry'],
  },
  'a task that starts after its end': {
    task: ['taskCreated', 'taskCanceled', 'attemptStarted'], breaks: ['nothing follows the end of a task but its expiry'],
  },
  'a task that expires twice': {
    task: ['taskCreated', 'taskCanceled', 'taskExpired', 'taskExpired'], breaks: ['nothing follows the end of a task but its expiry'],
  },
  'a task that fails with a good source': {
    task: ['taskCreated', 'attemptStarted', 'taskFailed'], breaks: ['a task fails only because of its source'],
  },
  'a task that succeeds without an image': { task: whole, breaks: ['a task that succeeds has one image, and every other has none'] },
  'a task that stores two images': {
    task: [...stored, 'imageStored', 'taskSucceeded'], image: ['imageRegistered'],
    breaks: ['a task that succeeds has one image, and every other has none'],
  },
  'a task whose image is registered twice': {
    task: whole, image: ['imageRegistered', 'imageRegistered'], breaks: ['a task that succeeds has one image, and every other has none'],
  },
  'a canceled task with an image': {
    task: ['taskCreated', 'taskCanceled'], image: ['imageRegistered'], breaks: ['a task that succeeds has one image, and every other has none'],
  },
  'an image of other bytes': { task: whole, image: ['other image'], breaks: ['an image is what its source gave'] },
  'an image without a task': { task: [], image: ['imageRegistered'], breaks: ['every image has its task'] },
};

for (const [title, { task, image = [], source = good, breaks }] of Object.entries(tasks)) {
  test(`${title} breaks ${breaks.length === 0 ? 'nothing' : breaks.join(' and ')}`, (t) => {
    t.deepEqual(brokenBy((ledger) => { checkTasks(ledger, toldLog(task, image), source); }), breaks);
  });
}

test('a task that expires early breaks a rule', (t) => {
  const log = changed(toldLog(['taskCreated', 'taskCanceled', 'taskExpired']), 2, ({ time }) => ({ time: new Date(time!.getTime() - 1) }));
  t.deepEqual(brokenBy((ledger) => { checkTasks(ledger, log, good); }), ['nothing expires early']);
});

test('a chain that breaks is found', (t) => {
  const log = toldLog(whole);
  const check = (changedLog: ReadLog): readonly string[] => brokenBy((ledger) => { checkChains(ledger, changedLog); });
  t.deepEqual(check(log), []);
  t.deepEqual(check(changed(log, 2, () => ({ hash: 'f'.repeat(64) }))), ['each event names the one before it']);
  t.deepEqual(check(changed(log, 1, () => ({ revision: 3n }))), ['each event names the one before it']);
});

test('nodes that tell other events, fewer or more, are found', (t) => {
  const log = toldLog(whole, ['imageRegistered']);
  const check = (other: ReadLog): readonly string[] => brokenBy((ledger) => { checkSameEvents(ledger, 'one', log, 'other', other); });
  t.deepEqual(check(toldLog(whole, ['imageRegistered'])), []);
  for (const other of [toldLog(whole), toldLog(stored, ['imageRegistered']), toldLog([...whole, 'taskExpired'], ['imageRegistered'])]) {
    t.deepEqual(check(other), ['every node tells the same events in the same order per stream']);
  }
});

const answers: Readonly<Record<string, { readonly written: Written; readonly breaks: boolean }>> = {
  'a create': { written: { at: [0, 1], call: create(), answer: shown('PENDING', 1, toldTask) }, breaks: false },
  'a create of a task that the log does not have': { written: { at: [0, 1], call: create(), answer: shown('PENDING', 1, 'lost') }, breaks: true },
  'a state that the task never had': { written: { at: [0, 1], call: create(), answer: shown('RUNNING', 1, toldTask) }, breaks: true },
  'a cancel': { written: { at: [0, 1], call: cancel, answer: shown('RUNNING*', 3, toldTask) }, breaks: false },
  'a cancel of which the log knows nothing': { written: { at: [0, 1], call: cancel, answer: shown('CANCELED', 5, toldTask) }, breaks: true },
};

for (const [title, { written, breaks }] of Object.entries(answers)) {
  test(`the answer to ${title} is ${breaks ? 'not ' : ''}in the log`, (t) => {
    const log = toldLog(['taskCreated', 'attemptStarted', 'cancelRequested', 'taskCanceled']);
    t.deepEqual(brokenBy((ledger) => { checkAnswers(ledger, log, historyOf(written)); }), breaks ? ['every answer is in the log'] : []);
  });
}

/** The same log with another task event at `index`. */
function changed(log: ReadLog, index: number, change: (event: Event) => Partial<Event>): ReadLog {
  return new Map([...log].map(([subject, events]) => (
    [subject, events.map((event, at) => (at === index ? { ...event, ...change(event) } : event))]
  )));
}
