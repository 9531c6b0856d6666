import test from 'ava';
import { registerImageOf } from '../../src/domain/image/image-of-task.ts';
import type { TaskCommand } from '../../src/domain/task/task-command.ts';
import type { CommittedTask, TaskState } from '../../src/domain/task/task-state.ts';
import { hashCanonical } from '../../src/log/canonical.ts';
import { hasReached } from '../../src/log/position.ts';
import { imageStreams } from '../../src/streams/image-streams.ts';
import { AppendUnknownError } from '../../src/streams/streams.ts';
import { taskStreams, type TaskStreams } from '../../src/streams/task-streams.ts';
import { cancel, complete, create, fail, start, store, taskAfter, taskId } from '../domain/task-fixtures.ts';
import { ScriptedLog } from './scripted-log.ts';

/** A log with these commands carried out, by a node of their own. */
async function logAfter(...commands: readonly TaskCommand[]): Promise<{ log: ScriptedLog; other: TaskStreams; tasks: TaskStreams }> {
  const log = new ScriptedLog();
  const other = taskStreams(log, log.readSide);
  for (const command of commands) await other.execute(taskId, command);
  return { log, other, tasks: taskStreams(log, log.readSide) };
}

const subjects = ({ records }: ScriptedLog): string[] => records.map(({ record: { headers } }) => headers.ce_type.replace('lehr.v1.', ''));

test('an event is appended after the head, and its position and the new state are answered', async (t) => {
  const { log, tasks } = await logAfter(create(0));
  const executed = await tasks.execute(taskId, start(1));
  t.like(executed, { kind: 'appended', position: new Map([[0, 2n]]), state: { status: 'running', revision: 2n } });
  t.deepEqual(executed.state, tasks.peek(taskId));
  t.is(log.records[1]?.record.headers.ce_predecessorhash, log.records[0]?.hash);
});

test('another event that came first has the command decided again, on the state with that event', async (t) => {
  const { log, other, tasks } = await logAfter(create(0), start(1));
  tasks.peek(taskId);
  await other.execute(taskId, cancel(2));
  const executed = await tasks.execute(taskId, store(3, 1));
  t.like(executed, { kind: 'refused', reason: 'CANCEL_REQUESTED' });
  t.deepEqual(subjects(log), ['TaskCreated', 'AttemptStarted', 'CancelRequested']);

  await other.execute(taskId, { type: 'confirmCancel', attempt: 1, now: start(4).now });
  t.like(await tasks.execute(taskId, cancel(5)), { kind: 'unchanged', state: { status: 'canceled' } });
});

test('a command made from the state is made anew for each decision', async (t) => {
  const { other, tasks } = await logAfter(create(0), start(1));
  tasks.peek(taskId);
  await other.execute(taskId, fail(2, 1));
  const seen: string[] = [];
  const executed = await tasks.execute(taskId, (state) => {
    seen.push(state.status);
    return state.status === 'running' ? complete(9, state.attempt) : start(9);
  });
  t.deepEqual(seen, ['running', 'pending']);
  t.like(executed, { kind: 'appended', state: { status: 'running', attempt: 2 } });
});

test('a refusal comes only from a state that has reached the end of the log', async (t) => {
  const { log, tasks } = await logAfter();
  log.following = false;
  const other = taskStreams(log, log.readSide);
  await other.execute(taskId, create(0));
  t.is(tasks.peek(taskId).status, 'absent');
  const canceling = tasks.execute(taskId, cancel(1));
  const early = await Promise.race([canceling.then(() => 'answered'), new Promise((resolve) => setImmediate(resolve, 'waits'))]);
  t.is(early, 'waits');
  log.following = true;
  log.follow();
  t.like(await canceling, { kind: 'appended', state: { status: 'canceled' } });
  t.is(log.ends, 1);
});

test('each refusal and each answer without an event asks for the end of the log, an event does not', async (t) => {
  const { log, tasks } = await logAfter(create(0));
  log.ends = 0;
  await tasks.execute(taskId, start(1));
  t.is(log.ends, 0);
  t.like(await tasks.execute(taskId, start(2)), { kind: 'refused', reason: 'ATTEMPT_RUNNING' });
  t.like(await tasks.execute(taskId, create(3)), { kind: 'unchanged' });
  t.is(log.ends, 2);
});

test('the position of an unchanged answer covers the state that it shows, though more came than the barrier asked for', async (t) => {
  const { log, other, tasks } = await logAfter(create(0));
  const end = log.end.bind(log);
  log.end = async () => {
    const position = await end();
    await other.execute(taskId, start(1));
    return position;
  };
  const executed = await tasks.execute(taskId, create(2));
  t.like(executed, { kind: 'unchanged', state: { revision: 2n } });
  t.true(executed.kind === 'unchanged' && hasReached(executed.position, new Map([[0, 2n]])));
});

for (const lands of [true, false]) {
  test(`an append whose outcome is unknown is reported so; the same command finds out that it ${lands ? 'landed' : 'was lost'}`, async (t) => {
    const { log, tasks } = await logAfter(create(0));
    tasks.peek(taskId);
    const cause = new Error('deadline');
    log.beforeAppend = async (canonical) => {
      if (lands) log.land(canonical);
      return { kind: 'unknown', cause };
    };
    const error = await t.throwsAsync(tasks.execute(taskId, cancel(1)), { instanceOf: AppendUnknownError });
    t.is(error.cause, cause);
    log.beforeAppend = async () => undefined;
    t.is(tasks.peek(taskId).status, lands ? 'canceled' : 'pending');
    t.is((await tasks.execute(taskId, cancel(2))).kind, lands ? 'unchanged' : 'appended');
    t.deepEqual(subjects(log), ['TaskCreated', 'TaskCanceled']);
  });
}

test('a record that lands after its outcome was unknown takes the place of what was decided instead, or the reverse', async (t) => {
  const { log, tasks } = await logAfter(create(0));
  let late: Uint8Array | undefined;
  log.beforeAppend = async (canonical) => {
    late = canonical;
    return { kind: 'unknown', cause: undefined };
  };
  await t.throwsAsync(tasks.execute(taskId, cancel(1)));
  log.beforeAppend = async () => undefined;
  t.like(await tasks.execute(taskId, start(2)), { kind: 'appended' });
  t.is(log.land(late ?? Buffer.alloc(0)).kind, 'superseded');
  t.deepEqual(subjects(log), ['TaskCreated', 'AttemptStarted']);
});

test('commands on one stream are carried out one after the other, on different streams at once', async (t) => {
  const { log, tasks } = await logAfter(create(0));
  const gate = Promise.withResolvers<void>();
  log.beforeAppend = async () => {
    await gate.promise;
    return undefined;
  };
  const otherId = taskId.replace('7d', '8e');
  const first = tasks.execute(taskId, start(1));
  const second = tasks.execute(taskId, fail(2, 1));
  const elsewhere = tasks.execute(otherId, { ...create(3), type: 'createTask', id: otherId } as TaskCommand);
  await new Promise((resolve) => setImmediate(resolve));
  // One record of each stream under way, the second of the first stream not.
  t.is(log.sent.length, 3);
  gate.resolve();
  t.deepEqual((await Promise.all([first, second, elsewhere])).map(({ kind }) => kind), ['appended', 'appended', 'appended']);
  t.is(log.sent.length, 4);
  t.is(new Set(log.sent.map(hashCanonical)).size, 4);
});

test('a command that fails does not hold up the next one on its stream', async (t) => {
  const { log, tasks } = await logAfter(create(0));
  log.beforeAppend = async () => ({ kind: 'unknown', cause: undefined });
  const failing = tasks.execute(taskId, start(1));
  const next = tasks.execute(taskId, start(2));
  await t.throwsAsync(failing);
  log.beforeAppend = async () => undefined;
  t.is((await next.catch(() => tasks.execute(taskId, start(3)))).kind, 'appended');
});

test('somebody who hammers a stream cannot keep a command busy for ever', async (t) => {
  const { log, other, tasks } = await logAfter(create(0));
  let attempt = 0;
  log.beforeAppend = async function hammer() {
    log.beforeAppend = async () => undefined;
    await other.execute(taskId, attempt % 2 === 0 ? start(100 * attempt) : fail(100 * attempt, (attempt + 1) / 2, undefined, 1_000));
    attempt += 1;
    log.beforeAppend = hammer;
    return undefined;
  };
  const command = (state: TaskState): TaskCommand => (state.status === 'running' ? complete(99_999, state.attempt) : start(99_999));
  await t.throwsAsync(tasks.execute(taskId, command), { instanceOf: AppendUnknownError, message: /20 times/ });
  t.is(attempt, 20);
});

test('every node registers an image by the same record, and the log takes it once', async (t) => {
  const { log } = await logAfter();
  const committed = taskAfter(create(0), start(1), store(2, 1)) as CommittedTask;
  const nodes = [imageStreams(log, log.readSide), imageStreams(log, log.readSide)];
  log.following = false;
  const executing = nodes.map((images) => images.execute(taskId, registerImageOf(committed), { recordId: taskId }));
  await new Promise((resolve) => setImmediate(resolve));
  log.follow();
  t.deepEqual((await Promise.all(executing)).map(({ kind }) => kind).toSorted(), ['appended', 'unchanged']);
  t.is(log.sent.length, 2);
  t.deepEqual(log.sent[0], log.sent[1]);
  t.is(log.records.length, 1);
  t.is(log.records[0]?.record.headers.ce_id, taskId);
});

test('other records have ids of their own', async (t) => {
  const { log } = await logAfter(create(0), start(1), fail(2, 1));
  t.is(new Set(log.records.map(({ record: { headers } }) => headers.ce_id)).size, 3);
});

test('the newest state is that of the projections where they are further, and the own one where they lag', async (t) => {
  const { log, other, tasks } = await logAfter(create(0));
  t.is(tasks.peek(taskId).status, 'pending');
  await other.execute(taskId, start(1));
  t.is(tasks.peek(taskId).status, 'pending');
  t.is(tasks.latest(taskId).status, 'running');
  t.is(tasks.peek(taskId).status, 'running');
  log.following = false;
  await tasks.execute(taskId, fail(2, 1));
  t.is(tasks.latest(taskId).status, 'pending');
  t.is(taskStreams(log, log.readSide).latest(taskId).status, 'running');
});

test('a new id is decided on without loading, and where it is taken the log says so', async (t) => {
  const { log, tasks } = await logAfter(create(0));
  const fold = log.readSide.fold.bind(log.readSide);
  let folds = 0;
  log.readSide.fold = (subject) => {
    folds += 1;
    return fold(subject);
  };
  const newId = taskId.replace('7d', '8e');
  t.is((await tasks.execute(newId, { ...create(1), id: newId } as TaskCommand, { isNew: true })).kind, 'appended');
  t.is(folds, 0);
  t.like(await tasks.execute(taskId, create(2), { isNew: true }), { kind: 'unchanged', state: { revision: 1n } });
});
