import test from 'ava';
import { headQueries } from '../../projections/heads/queries.ts';
import { historyQueries } from '../../projections/history/queries.ts';
import { imageQueries } from '../../projections/images/queries.ts';
import { taskQueries, type TaskPlace } from '../../projections/tasks/queries.ts';
import { timerQueries, type TimerPlace } from '../../projections/timers/queries.ts';
import { describeImage } from '../../src/domain/image/image.ts';
import { emptyStream, evolveStream, type StreamState } from '../../src/domain/fold.ts';
import { overdueTimeOf } from '../../src/domain/task/decide-failure.ts';
import { describeTask } from '../../src/domain/task/describe-task.ts';
import type { ExistingTask } from '../../src/domain/task/task-state.ts';
import { Image } from '../../src/gen/lehr/v1/image.ts';
import { Task } from '../../src/gen/lehr/v1/task.ts';
import { openRecord } from '../../src/log/envelope.ts';
import { generatedLog } from './generated-log.ts';
import { projected, settings } from './project.ts';

const log = generatedLog(3_000);
const { db } = projected(log, 250);
const streams = new Map<string, StreamState>();
const lastOffset = new Map<string, number>();
for (const { record, offset } of log) {
  const subject = record.headers.ce_subject;
  streams.set(subject, evolveStream(streams.get(subject) ?? emptyStream(subject)!, openRecord(record)!));
  lastOffset.set(subject, Number(offset));
}
const tasks = [...streams.values()].flatMap(({ kind, state }) => (kind === 'task' && state.status !== 'absent' ? [state] : []));
const images = [...streams.values()].flatMap(({ kind, state }) => (kind === 'image' && state.status !== 'absent' ? [state] : []));
const isUnfinished = ({ status }: ExistingTask): boolean => status === 'pending' || status === 'running' || status === 'committed';

test('the generated log has tasks in every state and images that live and that do not', (t) => {
  t.deepEqual([...new Set(tasks.map(({ status }) => status))].toSorted(), ['canceled', 'committed', 'expired', 'failed', 'pending', 'running', 'succeeded']);
  t.deepEqual([...new Set(images.map(({ status }) => status))].toSorted(), ['deleted', 'live']);
});

test('each task and image reads as its fold says, expired tasks too, deleted images not', (t) => {
  const { get } = taskQueries(db);
  for (const state of tasks) t.deepEqual(get(state.id), Task.decode(Task.encode(describeTask(state)).finish()));
  t.is(get('11111111-1111-4111-8111-111111111111'), undefined);
  const queries = imageQueries(db);
  for (const state of images) {
    const live = state.status === 'live';
    t.deepEqual(queries.get(state.id), live ? Image.decode(Image.encode(describeImage(state)).finish()) : undefined);
    t.is(queries.fileOf(state.id), live ? state.registered.file : undefined);
  }
});

test('unfinished tasks come page by page, the oldest first, each once', (t) => {
  const expected = tasks.filter(isUnfinished).map(({ id, createTime }) => ({ id, createTimeMs: createTime.getTime() }))
    .toSorted((a, b) => a.createTimeMs - b.createTimeMs || (a.id < b.id ? -1 : 1));
  t.true(expected.length > 20);
  for (const limit of [1, 7, 1_000]) {
    const { unfinished } = taskQueries(db);
    const found: TaskPlace[] = [];
    for (let page = unfinished(undefined, limit); page.length > 0; page = unfinished(page.at(-1), limit)) found.push(...page);
    t.deepEqual(found, expected);
  }
});

test('tasks that changed after a place are those of the owner, in the order of the log', (t) => {
  const { changedAfter } = taskQueries(db);
  for (const owner of ['blue', 'red', 'nobody']) {
    for (const after of [0, 1, 1_500, 2_990, 3_000]) {
      const expected = tasks.map((state) => ({ state, offset: lastOffset.get(`tasks/${state.id}`)! }))
        .filter(({ state, offset }) => state.owner === owner && offset > after).toSorted((a, b) => a.offset - b.offset);
      const found = changedAfter(owner, 0, after, 10_000);
      t.deepEqual(found.map(({ task, offset }) => [task.id, offset]), expected.map(({ state, offset }) => [state.id, offset]));
      t.deepEqual(changedAfter(owner, 0, after, 3), found.slice(0, 3));
      t.deepEqual(changedAfter(owner, 1, after, 10), []);
    }
  }
});

test('timers come in the order of their time, then of their task, none before its time', (t) => {
  const expected = tasks.flatMap((state) => {
    switch (state.status) {
      case 'pending': return state.retryTime === undefined ? [] : [{ taskId: state.id, kind: 'retry', dueTimeMs: state.retryTime.getTime() }];
      case 'running': return [{ taskId: state.id, kind: 'overdue', dueTimeMs: overdueTimeOf(state, settings.stageTimeoutMs).getTime() }];
      case 'succeeded':
      case 'failed':
      case 'canceled': return [{ taskId: state.id, kind: 'expire', dueTimeMs: state.expireTime.getTime() }];
      case 'committed':
      case 'expired': return [];
      default: return state satisfies never;
    }
  }).toSorted((a, b) => a.dueTimeMs - b.dueTimeMs || (a.taskId < b.taskId ? -1 : 1));
  t.deepEqual([...new Set(expected.map(({ kind }) => kind))].toSorted(), ['expire', 'overdue', 'retry']);
  const queries = timerQueries(db);
  let place: TimerPlace = { dueTimeMs: -1, taskId: '' };
  for (const timer of expected) {
    t.is(queries.nextDueTimeMs(place), timer.dueTimeMs);
    t.deepEqual(queries.due(place, timer.dueTimeMs, 1), [timer]);
    t.deepEqual(queries.due(place, timer.dueTimeMs - 1, 1), []);
    place = timer;
  }
  t.is(queries.nextDueTimeMs(place), undefined);
  t.deepEqual(queries.due({ dueTimeMs: -1, taskId: '' }, Number.MAX_SAFE_INTEGER, 10_000), expected);
});

test('tasks are counted by state and kind, without those that expired', (t) => {
  const byState = Map.groupBy(tasks.filter(({ status }) => status !== 'expired'), (task) => describeTask(task).state);
  const byName = (a: { readonly state: string }, b: { readonly state: string }): number => (a.state < b.state ? -1 : 1);
  const expected = [...byState].map(([state, counted]) => ({ state, kind: 'import', count: counted.length }));
  t.deepEqual(taskQueries(db).countByState().toSorted(byName), expected.toSorted(byName));
});

test('the history gives back each stream as it was stored, and the heads its last record', (t) => {
  const history = historyQueries(db);
  const heads = headQueries(db);
  const bySubject = Map.groupBy(log, ({ record }) => record.headers.ce_subject);
  for (const [subject, records] of bySubject) {
    const expected = records.map(({ canonical, hash, partition, offset }, index) => ({
      subject, revision: index + 1, partition, offset: Number(offset), canonical: Buffer.from(canonical), hash,
    }));
    t.deepEqual(history.stream(subject), expected);
    t.deepEqual(history.streamAfter(subject, 1, 2), expected.slice(1, 3));
    t.like(heads.get(subject), { subject, revision: records.length, hash: records.at(-1)?.hash });
  }
  t.deepEqual(history.stream('tasks/none'), []);
  t.is(heads.get('tasks/none'), undefined);
  t.deepEqual([...heads.all()].map(({ subject }) => subject), [...bySubject.keys()].toSorted());
});
