import test from 'ava';
import { DiscardPolicy, nanos, RetentionPolicy, StorageType, type ConsumerConfig, type StreamConfig } from 'nats';
import { ensureJobStream, WrongJobStreamError } from '../../../src/jobs/nats/ensure-job-stream.ts';
import { natsNames } from '../../../src/jobs/nats/nats-names.ts';
import { sharedNats } from '../../servers/shared-nats.ts';
import { hasTool } from '../../tooling/has-tool.ts';
import { NatsBench } from './nats-bench.ts';

/** What somebody has made instead of the stream of jobs. */
const streams: Readonly<Record<string, { readonly config: Partial<StreamConfig>; readonly says: RegExp }>> = {
  'keeps jobs that are done': { config: { retention: RetentionPolicy.Limits }, says: /retention is "limits", not "workqueue"/ },
  'is lost with the server': { config: { storage: StorageType.Memory }, says: /storage is "memory", not "file"/ },
  'drops old jobs': { config: { discard: DiscardPolicy.Old, discard_new_per_subject: false }, says: /discard is "old", not "new"/ },
  'takes several jobs of a task': { config: { max_msgs_per_subject: 2 }, says: /max_msgs_per_subject is 2, not 1/ },
  'has no bound': { config: { max_msgs: -1 }, says: /max_msgs is -1, not 100000/ },
  'keeps jobs for too short': { config: { max_age: nanos(60_000), duplicate_window: nanos(60_000) }, says: /max_age is 60000000000, not 86400000000000/ },
  'knows doubled jobs for too short': { config: { duplicate_window: nanos(1_000) }, says: /duplicate_window is 1000000000, not 120000000000/ },
};

const consumers: Readonly<Record<string, { readonly config: Partial<ConsumerConfig>; readonly says: RegExp }>> = {
  'waits for too long': { config: { ack_wait: nanos(60_000) }, says: /ack_wait is 60000000000, not 6000000000/ },
  'hands out a job for ever': { config: { max_deliver: -1 }, says: /max_deliver is -1, not 20/ },
  'hands out few jobs at a time': { config: { max_ack_pending: 1_000 }, says: /max_ack_pending is 1000, not 100000/ },
  'waits longer and longer': { config: { backoff: [nanos(6_000), nanos(60_000)] }, says: /backoff is \[6000000000,60000000000\], not unset/ },
};

if (hasTool('nats-server')) {
  test('the stream is made once, by whoever comes first of many', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const connections = await Promise.all(Array.from({ length: 5 }, () => bench.client()));
    const created = await Promise.all(connections.map((connection) => ensureJobStream(connection, bench.names)));
    t.is(new Set(created).size, 1);
    t.is(await ensureJobStream(connections[0]!, bench.names), created[0]!);
    const { config } = await (await bench.manager()).streams.info(bench.names.stream);
    t.deepEqual([config.name, config.subjects], [bench.names.stream, [bench.names.jobs]]);
  });

  for (const [name, { config, says }] of Object.entries(streams)) {
    test(`a stream that ${name} is refused with the field and the remedy`, async (t) => {
      const bench = new NatsBench(t, await sharedNats(t));
      const manager = await bench.manager();
      const connection = await bench.client();
      await ensureJobStream(connection, bench.names);
      const { config: right } = await manager.streams.info(bench.names.stream);
      await manager.streams.delete(bench.names.stream);
      await manager.streams.add({ ...right, ...config });
      const { message } = (await t.throwsAsync(ensureJobStream(connection, bench.names), { instanceOf: WrongJobStreamError }));
      t.regex(message, says);
      t.true(message.includes(`nats stream rm ${bench.names.stream}`));
    });
  }

  for (const [name, { config, says }] of Object.entries(consumers)) {
    test(`a consumer that ${name} is refused with the field and the remedy`, async (t) => {
      const bench = new NatsBench(t, await sharedNats(t));
      const manager = await bench.manager();
      const connection = await bench.client();
      await ensureJobStream(connection, bench.names);
      const { config: right } = await manager.consumers.info(bench.names.stream, bench.names.consumer);
      await manager.consumers.delete(bench.names.stream, bench.names.consumer);
      await manager.consumers.add(bench.names.stream, { ...right, ...config });
      const { message } = (await t.throwsAsync(ensureJobStream(connection, bench.names), { instanceOf: WrongJobStreamError }));
      t.regex(message, says);
      t.true(message.includes(`nats consumer rm ${bench.names.stream} ${bench.names.consumer}`));
    });
  }

  test('subjects that belong to a stream of somebody else are refused', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const { names } = bench;
    await (await bench.manager()).streams.add({ name: `${names.stream}-other`, subjects: [names.jobs.replace('jobs.*', '>')] });
    const { message } = (await t.throwsAsync(ensureJobStream(await bench.client(), names), { instanceOf: WrongJobStreamError }));
    t.regex(message, /overlap/);
  });

  test('streams of topics whose names differ only in dots and hyphens are told apart', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const connection = await bench.client();
    await ensureJobStream(connection, bench.names);
    const twin = natsNames(bench.names.stream);
    await t.throwsAsync(ensureJobStream(connection, twin), { instanceOf: WrongJobStreamError, message: /subjects is/ });
  });
}

test('names follow from the topic', (t) => {
  const names = natsNames('lehr.events');
  const taskId = '4b7706d4-c183-5c89-b5a6-a7cbeaa0637e';
  t.deepEqual(
    [names.stream, names.consumer, names.jobs, names.progress, names.heartbeats, names.jobOf(taskId)],
    ['lehr-events', 'workers', 'lehr.events.jobs.*', 'lehr.events.progress', 'lehr.events.heartbeats', `lehr.events.jobs.${taskId}`],
  );
  t.is(names.taskOf(names.jobOf(taskId)), taskId);
  t.deepEqual(['', 'x', `other.jobs.${taskId}`, `lehr.events.jobs.${taskId}.x`, 'lehr.events.jobs.*'].map((subject) => names.taskOf(subject)), Array(5).fill(undefined));
});

test('a topic that no subject can be named after is refused by name', (t) => {
  for (const topic of ['lehr..events', '.lehr', 'lehr.']) t.throws(() => natsNames(topic), { message: new RegExp(`^kafka-topic: .*${topic}`) });
});
