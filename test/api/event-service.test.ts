import test from 'ava';

import type { StreamEventsResponse } from '../../src/gen/lehr/v1/event_service.ts';
import { noPredecessor } from '../../src/log/record.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { story } from '../acceptance/harness/events.ts';
import { makeFolder, startServer } from '../acceptance/harness/lehr-server.ts';
import { gives, startSource } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTask, createImport } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { serveHere } from './serve-here.ts';
import type { ServerHere } from './serve-here.ts';

const image = rawDisk(64 * 1024, 1);
const shared = new Teardowns();
let source: SourceServer;
let server: ServerHere;
let id: string;

test.before(async () => {
  source = await startSource(shared);
  server = await serveHere(shared, await makeFolder(shared));
  id = (await createImport(server.api, source.serve('/first', gives(image.bytes)), { labels: { env: 'test' } })).id;
  await awaitTask(server.api, id);
});

test.after.always(() => shared.run());

async function all(messages: AsyncIterable<StreamEventsResponse>): Promise<readonly StreamEventsResponse[]> {
  const read: StreamEventsResponse[] = [];
  for await (const message of messages) read.push(message);
  return read;
}

test('the history of an import tells each step, and each event names the one before it', async (t) => {
  const { events, nextPageToken } = await server.api.listEvents({ subject: `tasks/${id}` });
  t.is(nextPageToken, '');
  t.deepEqual(story(events), ['taskCreated', 'attemptStarted', 'stageCompleted fetch', 'stageCompleted inspect', 'imageStored', 'taskSucceeded']);
  t.deepEqual(events.map(({ revision, predecessorHash, subject, owner }) => ({ revision, predecessorHash, subject, owner })),
    events.map((_, index) => ({
      revision: BigInt(index + 1), predecessorHash: events[index - 1]?.hash ?? noPredecessor, subject: `tasks/${id}`, owner: 'default',
    })));
  t.deepEqual(events.map(({ type }) => type), [
    'lehr.v1.TaskCreated', 'lehr.v1.AttemptStarted', 'lehr.v1.StageCompleted', 'lehr.v1.StageCompleted', 'lehr.v1.ImageStored', 'lehr.v1.TaskSucceeded',
  ]);
  const fetched = events[2]?.payload?.$case === 'stageCompleted' ? events[2].payload.value : undefined;
  t.like(fetched, { attempt: 1, stage: 'fetch', bytes: BigInt(image.bytes.length), digest: image.digest });
  t.is(new Set(events.map((event) => event.id)).size, events.length);
});

test('the history is read page by page', async (t) => {
  const { events } = await server.api.listEvents({ subject: `tasks/${id}` });
  const paged = [];
  let pageToken = '';
  do {
    const page = await server.api.listEvents({ subject: `tasks/${id}`, pageSize: 4, pageToken });
    paged.push(...page.events);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  t.deepEqual(paged, events);
});

test('a stream of events ends at the end of the log, and goes on from any of its tokens', async (t) => {
  const own = await startServer(t, await makeFolder(t));
  for (const name of ['a', 'b']) await awaitTask(own.api, (await createImport(own.api, source.serve(`/stream-${name}`, gives(image.bytes)))).id);
  const whole = await all(own.api.streamEvents({}));
  t.is(whole.length, 14);
  for (const [index, { token }] of whole.entries()) {
    t.deepEqual(await all(own.api.streamEvents({ fromToken: token })), whole.slice(index + 1));
  }
  const tasks = await all(own.api.streamEvents({ subjectPrefix: 'tasks/' }));
  t.deepEqual(tasks.map(({ event }) => event), whole.map(({ event }) => event).filter((event) => event?.subject.startsWith('tasks/')));
  // The tokens are good for the next life of the server, too.
  await own.kill('SIGKILL');
  const next = await serveHere(t, own.folder);
  t.deepEqual(await all(next.api.streamEvents({ fromToken: whole[6]!.token })), whole.slice(7));
});

test('a log without events is whole, and a stream of it ends at once', async (t) => {
  const own = await serveHere(t, await makeFolder(t));
  t.deepEqual(await all(own.api.streamEvents({})), []);
  t.deepEqual(await own.api.verifyEvents({}), { events: 0n, streams: 0n, faults: [] });
});

test('a stream that follows tells what happens, as it happens', async (t) => {
  const followed = server.api.streamEvents({ follow: true, subjectPrefix: 'images/' });
  t.is((await followed.next()).value?.event?.subject, `images/${id}`);
  const second = await createImport(server.api, source.serve('/second', gives(image.bytes)));
  const { value } = await followed.next();
  t.deepEqual({ subject: value?.event?.subject, what: value?.event?.payload?.$case }, { subject: `images/${second.id}`, what: 'imageRegistered' });
  await followed.return();
});

test('a log that nobody touched verifies, as a whole and stream by stream', async (t) => {
  const whole = await server.api.verifyEvents({});
  t.deepEqual(whole.faults, []);
  t.deepEqual(await server.api.verifyEvents({ subject: `tasks/${id}` }), { events: 6n, streams: 1n, faults: [] });
  t.deepEqual(await server.api.verifyEvents({ subject: `images/${id}` }), { events: 1n, streams: 1n, faults: [] });
});
