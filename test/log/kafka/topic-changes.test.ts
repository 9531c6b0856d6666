import test from 'ava';
import type { ExecutionContext } from 'ava';
import { decodeCanonical } from '../../../src/log/canonical.ts';
import { connectKafka } from '../../../src/log/kafka/connect-kafka.ts';
import { ensureTopic } from '../../../src/log/kafka/ensure-topic.ts';
import type { KafkaSettings } from '../../../src/log/kafka/kafka-settings.ts';
import { messageOf } from '../../../src/log/kafka/read-message.ts';
import { partitionOf } from '../../../src/log/kafka/partition-of.ts';
import { TaskChain } from '../../contract/task-chain.ts';
import { readLog } from '../../contract/read-log.ts';
import { sharedKafka } from '../../servers/shared-kafka.ts';
import { uniqueTopic } from '../../servers/unique-topic.ts';
import { openKafkaLog, SpokenLines } from './open-kafka-log.ts';

const partitions = 3;

async function newTopic(t: ExecutionContext): Promise<KafkaSettings> {
  return { brokers: [await sharedKafka(t)], topic: uniqueTopic(), partitions, replication: 1 };
}

type Change = (headers: Record<string, string>) => { partition?: number; value?: Buffer };

/** Somebody else who writes to, and does things to, the topic. */
async function outsider(t: ExecutionContext, settings: KafkaSettings) {
  const { kafka, close } = connectKafka(settings, 'outsider', new SpokenLines(), 'start');
  const producer = kafka.producer({ createPartitioner: () => ({ message }) => message.partition ?? 0 });
  const admin = kafka.admin();
  await Promise.all([producer.connect(), admin.connect()]);
  t.teardown(close);
  const { topic } = settings;
  return {
    admin,
    /** Sends a message to a partition and returns its position. */
    async send(partition: number, message: { key?: string; headers?: Record<string, string>; value: Buffer | null }): Promise<string> {
      const [sent] = await producer.send({ topic, messages: [{ ...message, partition }] });
      return `${partition}-${sent?.baseOffset ?? ''}`;
    },
    /** Sends a record that fits `chain`, perhaps changed. */
    async sendRecord(chain: TaskChain, change: Change = () => ({})): Promise<string> {
      const message = messageOf(decodeCanonical(chain.candidate()), partitions);
      const { partition = message.partition, value = message.value } = change(message.headers);
      return this.send(partition, { ...message, value });
    },
  };
}

/** A stream in a given partition. */
function chainIn(partition: number): TaskChain {
  for (;;) {
    const chain = new TaskChain();
    if (partitionOf(chain.subject, partitions) === partition) return chain;
  }
}

type Peer = Awaited<ReturnType<typeof outsider>>;

const junk: readonly (readonly [title: string, write: (peer: Peer) => Promise<string>, problem: RegExp])[] = [
  ['a message without headers', (peer) => peer.send(1, { value: Buffer.from('hello') }), /is no record: it has no header ce_id/],
  ['a record whose value does not decode', (peer) => peer.sendRecord(chainIn(1), () => ({ value: Buffer.from([0xff]) })), /lehr\.v1\.TaskCreated/],
];

for (const [title, write, problem] of junk) {
  test(`${title} halts its partition, and no other; a start that is told to passes over it`, async (t) => {
    const settings = await newTopic(t);
    const peer = await outsider(t, settings);
    const opened = await openKafkaLog(t, settings);
    const [before, after, elsewhere] = [chainIn(1), chainIn(1), chainIn(2)];
    t.is((await before.append(opened.log)).outcome.kind, 'accepted');
    const position = await write(peer);
    await elsewhere.append(opened.log);
    const written = after.candidate();
    t.is((await opened.log.append(written, AbortSignal.timeout(1_500))).kind, 'unknown');

    t.is(opened.log.haltedCount, 1);
    t.regex(opened.log.problems.join(), problem);
    t.true(opened.log.problems.join().includes(position), position);
    t.is((await elsewhere.append(opened.log)).outcome.kind, 'accepted');
    await opened.log.end(elsewhere.subject);
    await t.throwsAsync(opened.log.end(after.subject), { name: 'LogUnavailableError', message: /partition 1 of the log has halted/ });
    await opened.close();

    const again = await openKafkaLog(t, settings, { folder: opened.folder });
    t.is(again.log.haltedCount, 1);
    t.is((await elsewhere.append(again.log)).outcome.kind, 'accepted');
    await again.close();

    const told = await openKafkaLog(t, settings, { folder: opened.folder, skip: [position] });
    t.deepEqual(told.log.problems, []);
    // What was written behind the junk was there all the time.
    after.advance(written);
    t.is((await after.append(told.log)).outcome.kind, 'accepted');
    t.is((await before.append(told.log)).outcome.kind, 'accepted');
    t.is((await readLog(told.log)).length, 7);
  });
}

test('a record that lies in another partition than its stream is void', async (t) => {
  const settings = await newTopic(t);
  const peer = await outsider(t, settings);
  const { log } = await openKafkaLog(t, settings);
  const chain = chainIn(0);
  await peer.sendRecord(chain, () => ({ partition: 2 }));
  t.is((await chain.append(log)).outcome.kind, 'accepted');
  t.is((await readLog(log)).length, 1);
  t.deepEqual(log.problems, []);
});

test('an event of a type that nobody knows yet moves the head and is counted', async (t) => {
  const settings = await newTopic(t);
  const peer = await outsider(t, settings);
  const { log, replica } = await openKafkaLog(t, settings);
  const chain = chainIn(0);
  await chain.append(log);
  await chain.append(log);
  await peer.sendRecord(chain, (headers) => {
    headers['ce_type'] = 'lehr.v1.TaskPainted';
    return { value: Buffer.from([0xff]) };
  });
  t.is((await chain.append(log)).outcome.kind, 'superseded');
  t.is(replica.unknownTypes, 1);
  const [, , painted] = await readLog(log);
  chain.advance(Buffer.from(painted?.canonical ?? '', 'hex'));
  t.is((await chain.append(log)).outcome.kind, 'accepted');
});

async function waitForTopic(peer: Peer, topic: string, isThere: boolean): Promise<void> {
  for (let looks = 0; (await peer.admin.listTopics()).includes(topic) !== isThere; looks += 1) {
    if (looks > 200) throw new Error(`the topic is ${isThere ? 'not there' : 'still there'}`);
    await new Promise((resolve) => { setImmediate(resolve); });
  }
}

/** What may be done to a topic behind the service's back, and what it then says. */
const changes: readonly (readonly [title: string, change: (peer: Peer, topic: KafkaSettings) => Promise<unknown>, problem: RegExp])[] = [
  ['made anew and empty', async (peer, { topic }) => {
    await peer.admin.deleteTopics({ topics: [topic] });
    await waitForTopic(peer, topic, false);
  }, /made anew, cut or restored: partition \d ends before position|made anew, cut or restored: the record/],
  ['made anew with other records', async (peer, settings) => {
    await peer.admin.deleteTopics({ topics: [settings.topic] });
    await waitForTopic(peer, settings.topic, false);
    await peer.admin.createTopics({ waitForLeaders: false, topics: [{ topic: settings.topic, numPartitions: partitions, configEntries: [
      { name: 'retention.ms', value: '-1' }, { name: 'retention.bytes', value: '-1' }, { name: 'max.message.bytes', value: '8388608' },
    ] }] });
    await waitForTopic(peer, settings.topic, true);
    for (let round = 0; round < 4 * partitions; round += 1) await retried(() => peer.sendRecord(chainIn(round % partitions)));
  }, /the record at position \d-\d is another one than when it was read/],
  ['cut at its beginning', async (peer, { topic }) => {
    // kafkajs deletes records only of topics that it was asked about.
    await peer.admin.fetchTopicOffsets(topic);
    await peer.admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '2' }] });
  }, /it has lost what was before position 0-2/],
];

async function retried<T>(work: () => Promise<T>): Promise<T> {
  for (let left = 40; ; left -= 1) {
    try {
      return await work();
    } catch (cause) {
      if (left === 0) throw cause;
      await new Promise((resolve) => { setImmediate(resolve); });
    }
  }
}

for (const [title, change, problem] of changes) {
  test(`a topic that was ${title} is noticed when it is joined, and the log ends with the remedy`, async (t) => {
    const settings = await newTopic(t);
    const peer = await outsider(t, settings);
    const opened = await openKafkaLog(t, settings);
    for (let partition = 0; partition < partitions; partition += 1) {
      for (const chain of [chainIn(partition), chainIn(partition), chainIn(partition)]) await chain.append(opened.log);
    }
    await opened.close();
    await change(peer, settings);
    const again = await openKafkaLog(t, settings, { folder: opened.folder, early: true });
    const { message } = await again.ended;
    t.regex(message, problem);
    t.regex(message, /Put the right topic back\..*delete the folder projections/);
    t.deepEqual(again.replica.acceptedAfter(new Map(), 100).length, 9);
  });
}

test('a topic that is made anew under a running node is noticed by it', async (t) => {
  const settings = await newTopic(t);
  const peer = await outsider(t, settings);
  const { topic } = settings;
  const opened = await openKafkaLog(t, settings);
  for (let partition = 0; partition < partitions; partition += 1) await chainIn(partition).append(opened.log);
  await peer.admin.deleteTopics({ topics: [topic] });
  await waitForTopic(peer, topic, false);
  await ensureTopic(settings, 'test', new SpokenLines());
  t.regex((await opened.ended).message, /made anew, cut or restored: partition \d ends before position/);
});
