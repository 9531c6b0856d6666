import test from 'ava';
import { startPosition, type Position } from '../../src/log/position.ts';
import { Feed, type AppliedEvent } from '../../src/projector/feed.ts';
import { taskStreams } from '../../src/streams/task-streams.ts';
import { create, start, taskId } from '../domain/task-fixtures.ts';
import { ScriptedLog } from '../streams/scripted-log.ts';

const never = new AbortController().signal;

async function logOfTwo(): Promise<ScriptedLog> {
  const log = new ScriptedLog();
  const tasks = taskStreams(log, log.readSide);
  await tasks.execute(taskId, create(0));
  await tasks.execute(taskId, start(1));
  return log;
}

const cases = (events: readonly AppliedEvent[]): string[] => events.map(({ event }) => event.payload.$case);

test('listeners hear of an event only when the projections hold it', async (t) => {
  const applied = Promise.withResolvers<void>();
  const asked: Position[] = [];
  const feed = new Feed(await logOfTwo(), async (position) => {
    asked.push(position);
    await applied.promise;
  }, startPosition);
  const heard: string[] = [];
  feed.listen((events) => heard.push(...cases(events)));
  const running = feed.run(never);
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual([heard, asked, feed.position], [[], [new Map([[0, 2n]])], startPosition]);
  applied.resolve();
  await running;
  t.deepEqual([heard, feed.position], [['taskCreated', 'attemptStarted'], new Map([[0, 2n]])]);
});

test('every listener hears the same, and none after it has left', async (t) => {
  const feed = new Feed(await logOfTwo(), async () => undefined, startPosition);
  const heard: string[][] = [[], [], []];
  const leave = heard.map((list) => feed.listen((events, position) => list.push(...cases(events), String(position.get(0)))));
  leave[1]?.();
  await feed.run(never);
  t.deepEqual(heard, [['taskCreated', 'attemptStarted', '2'], [], ['taskCreated', 'attemptStarted', '2']]);
});

test('a feed that is stopped while the projections lag ends without an error; what goes wrong otherwise is told', async (t) => {
  const log = await logOfTwo();
  const stop = new AbortController();
  const waiting = new Feed(log, (_, signal) => new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => { reject(signal.reason as Error); });
  }), startPosition).run(stop.signal);
  await new Promise((resolve) => setImmediate(resolve));
  stop.abort();
  await t.notThrowsAsync(waiting);
  const broken = new Error('broken');
  t.is(await t.throwsAsync(new Feed(log, () => Promise.reject(broken), startPosition).run(never)), broken);
});

test('others have their turn between the batches of a log that gives many at once', async (t) => {
  const { records } = await logOfTwo();
  const log = new ScriptedLog();
  log.read = async function* () {
    for (const record of records) yield [record];
  };
  const story: string[] = [];
  const feed = new Feed(log, async () => undefined, startPosition);
  feed.listen((events) => {
    story.push(...cases(events));
    setImmediate(() => story.push('others'));
  });
  await feed.run(never);
  t.deepEqual(story, ['taskCreated', 'others', 'attemptStarted', 'others']);
});
