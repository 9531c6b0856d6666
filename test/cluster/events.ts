import test from 'ava';

import type { Event } from '../../src/gen/lehr/v1/event.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { runProcess } from '../acceptance/harness/lehr-process.ts';
import { makeFolder, startServer } from '../acceptance/harness/lehr-server.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { Refused } from '../acceptance/harness/refused.ts';
import { answers, gives } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTask, createImport } from '../acceptance/harness/tasks.ts';
import { linkedChains } from './harness/linked-chains.ts';
import type { SharedCluster } from './harness/shared-cluster.ts';

const image = rawDisk(64 * 1024, 1);

/** So many imports of each sort are made before the log is read. */
const importsEach = 2;

/** What an image goes through, one step after the other. */
async function walk(source: SourceServer, asked: readonly LehrServer[], name: string): Promise<void> {
  const server = (step: number) => asked[step % asked.length]!.api;
  const { id } = await createImport(server(0), source.serve(`/good-${name}`, gives(image.bytes)), { labels: { name } }, { expectedDigest: image.digest });
  await awaitTask(server(1), id);
  await server(2).updateImage({ image: { id, name }, updateMask: ['name'] });
  await server(3).deleteImage({ id });
  await awaitTask(server(4), (await createImport(server(5), source.serve(`/bad-${name}`, answers(404)))).id);
}

/** The whole log as a server streams it: events by stream, in order of name. */
async function streamsOf({ api }: LehrServer): Promise<ReadonlyMap<string, readonly Event[]>> {
  const events: Event[] = [];
  for await (const { event } of api.streamEvents({})) events.push(event!);
  return bySubject(events);
}

function bySubject<E extends { readonly subject: string }>(events: readonly E[]): ReadonlyMap<string, readonly E[]> {
  const streams = Map.groupBy(events, ({ subject }) => subject);
  return new Map([...streams].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** The form of a value: every text, number and time as its type; what is named by the contract (types, states, stages, formats) stays. */
function formOf(value: unknown, key = ''): unknown {
  if (value instanceof Date) return 'time';
  if (value instanceof Uint8Array) return 'bytes';
  if (Array.isArray(value)) return value.map((item) => formOf(item));
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, formOf(part, name)]));
  return ['$case', 'type', 'stage', 'format', 'reason', 'owner', 'revision', 'attempt', 'state'].includes(key) ? value : typeof value;
}

/** The forms of all streams, of each kind, whatever their ids. */
async function formsOf(server: LehrServer): Promise<readonly string[]> {
  const streams = [...(await streamsOf(server)).values()];
  return streams.map((events) => JSON.stringify(events.map((event) => formOf(event)), (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))).toSorted();
}

/** Registers the tests that need a log which holds nothing else. */
export function eventsTests(shared: SharedCluster): void {
  test.serial.before(async () => {
    await Promise.all(Array.from({ length: importsEach }, (_, index) => walk(shared.source, shared.three, `early-${index}`)));
  });

  test.serial('every node tells the same events in the same order of each stream, and each follows the one before', async (t) => {
    const [first, ...others] = await Promise.all(shared.three.map(streamsOf));
    t.is(first!.size, 3 * importsEach);
    for (const other of others) t.deepEqual(other, first);
    for (const { api } of shared.three) {
      await linkedChains(api);
      for (const [subject, events] of first!) t.deepEqual((await api.listEvents({ subject, pageSize: 1_000 })).events, events);
    }
  });

  test.serial('the command line prints the same of one node as of another', async (t) => {
    const printed = await Promise.all(shared.three.slice(1).map(async ({ grpcAddress }) => {
      const { code, stdout, stderr } = await runProcess(['events', '--json'], { env: { LEHR_SERVER: grpcAddress } });
      t.is(code, 0, stderr);
      return bySubject(stdout.trimEnd().split('\n').map((line) => (JSON.parse(line) as { readonly event: { readonly subject: string } }).event));
    }));
    t.is(printed[0]!.size, 3 * importsEach);
    t.deepEqual(printed, printed.map(() => printed[0]!));
  });

  test.serial('the topic itself holds the same, for who reads it without any node', async (t) => {
    const { code, stdout, stderr } = await runProcess(['verify', '--kafka', shared.servers.kafka, '--topic', shared.cluster.topic, '--json']);
    t.is(code, 0, stderr);
    const report = JSON.parse(stdout) as Readonly<Record<'events' | 'streams', string>>;
    const told = await streamsOf(shared.three[0]);
    t.deepEqual([Number(report.events), Number(report.streams)], [[...told.values()].flat().length, told.size]);
  });

  test.serial('every node finds the whole topic, and each stream of it, in order', async (t) => {
    const told = await streamsOf(shared.three[0]);
    const [subject, events] = [...told][0]!;
    for (const { api } of shared.three) {
      const all = await api.verifyEvents({});
      t.deepEqual([Number(all.events), Number(all.streams), all.faults], [[...told.values()].flat().length, told.size, []]);
      const one = await api.verifyEvents({ subject });
      t.deepEqual([Number(one.events), Number(one.streams), one.faults], [events.length, 1, []]);
    }
    const { code, stderr } = await runProcess(['verify'], { env: { LEHR_SERVER: shared.three[0].grpcAddress } });
    t.is(code, 0, stderr);
  });

  test.serial('events have the form that an embedded server gives them', async (t) => {
    const embedded = await startServer(t, await makeFolder(t));
    await Promise.all(Array.from({ length: importsEach }, (_, index) => walk(shared.source, [embedded], `embedded-${index}`)));
    t.deepEqual(await formsOf(shared.three[1]), await formsOf(embedded));
  });

}

/** Registers the test, which ends the first node. */
export function followTests(shared: SharedCluster): void {
  test.serial('who follows the log of a node that stops goes on with its token on another, without a gap and without a copy', async (t) => {
    const [first, second, third] = shared.three;
    const seen: Event[] = [];
    let token = '';
    const listening = Promise.withResolvers<void>();
    const follow = async (server: LehrServer, isEnough: () => boolean): Promise<void> => {
      for await (const message of server.api.streamEvents({ fromToken: token, follow: true })) {
        seen.push(message.event!);
        token = message.token;
        listening.resolve();
        if (isEnough()) return;
      }
    };
    const followed = follow(first, () => false);
    await listening.promise;
    const writing = (async () => {
      for (let round = 0; round < 2; round += 1) await walk(shared.source, [second, third], `more-${round}`);
    })();
    t.deepEqual(await first.kill('SIGTERM'), { code: 0, signal: null });
    const ended = await followed.catch((error: unknown) => error);
    t.is(ended instanceof Refused ? ended.refusal.reason : 'the stream ended', 'SERVER_STOPPING');
    await writing;
    const all = await streamsOf(second);
    const total = [...all.values()].flat().length;
    await follow(third, () => seen.length >= total);
    t.deepEqual(bySubject(seen), all);
  });
}
