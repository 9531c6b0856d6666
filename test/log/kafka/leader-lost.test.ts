import test from 'ava';
import { startKafka, type KafkaCluster, type KafkaNode } from '../../../scripts/servers/start-kafka.ts';
import { hashCanonical } from '../../../src/log/canonical.ts';
import { LogUnavailableError } from '../../../src/log/event-log.ts';
import { askRanges, TopicUnreadableError } from '../../../src/log/kafka/audit/audit-ranges.ts';
import { connectKafka, type KafkaClient } from '../../../src/log/kafka/connect-kafka.ts';
import { ensureTopic } from '../../../src/log/kafka/ensure-topic.ts';
import { TopicOffsets } from '../../../src/log/kafka/topic-offsets.ts';
import { TaskChain } from '../../contract/task-chain.ts';
import { readLog } from '../../contract/read-log.ts';
import { kafkaClient } from '../../servers/kafka-client.ts';
import { uniqueTopic } from '../../servers/unique-topic.ts';
import { openKafkaLog, SpokenLines } from './open-kafka-log.ts';

/** The brokers notice so soon that one is gone. */
const sessionMs = 3_000;

/** So many append at once for as long as a test lasts: to each partition one or two. */
const appenders = 4;

const brokers = startKafka({
  brokers: 3, heapMiB: 256, properties: { 'broker.session.timeout.ms': String(sessionMs), 'broker.heartbeat.interval.ms': '500' },
});

test.after.always(async () => (await brokers).stop());

interface Led {
  readonly leader: KafkaNode;
  /** What clients connect to. */
  readonly address: string;
  readonly others: readonly KafkaNode[];
}

/** The broker that leads the first partition of a topic, and the others. */
async function leaderOf(topic: string, { nodes, brokers: addresses }: KafkaCluster): Promise<Led> {
  const admin = kafkaClient(addresses).admin();
  await admin.connect();
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  await admin.disconnect();
  const index = (topics[0]?.partitions[0]?.leader ?? 0) - 1;
  const [leader, address] = [nodes[index], addresses[index]];
  if (leader === undefined || address === undefined) throw new Error('the partition has no leader');
  return { leader, address, others: nodes.filter((node) => node !== leader) };
}

type Deed = (node: KafkaNode) => Promise<unknown>;

const faults: readonly (readonly [title: string, harm: Deed, heal: Deed])[] = [
  ['is killed', (node) => node.kill(), (node) => node.start()],
  ['hangs', async (node) => { node.pause(); }, async (node) => { node.resume(); }],
];

for (const [title, harm, heal] of faults) {
  test.serial(`of three brokers the leader ${title}: nothing that was accepted is lost or doubled, and appends go on`, async (t) => {
    const kafka = await brokers;
    const settings = { brokers: kafka.brokers, topic: uniqueTopic(), partitions: 3, replication: 3 };
    const opened = await openKafkaLog(t, settings);
    const accepted = new Map<string, string>();
    const stop = new AbortController();
    const load = Promise.all(Array.from({ length: appenders }, async () => {
      let chain = new TaskChain();
      let goneOn = 0;
      while (!stop.signal.aborted) {
        const { canonical, outcome } = await chain.append(opened.log);
        t.not(outcome.kind, 'superseded');
        // Nobody knows whether it landed: whoever asked reads the head anew; here another stream is begun.
        if (outcome.kind === 'unknown') chain = new TaskChain();
        else accepted.set(hashCanonical(canonical), chain.subject);
        if (outcome.kind === 'accepted') goneOn += 1;
      }
      return goneOn;
    }));

    const { leader } = await leaderOf(settings.topic, kafka);
    const before = accepted.size;
    await harm(leader);
    const startedMs = performance.now();
    await Promise.all(Array.from({ length: 9 }, async () => {
      // One whose outcome is unknown may have landed, so that the chain goes on elsewhere than this test knows.
      while ((await new TaskChain().append(opened.log)).outcome.kind !== 'accepted') t.log('an append was unknown');
    }));
    t.log(`all partitions go on after ${Math.round(performance.now() - startedMs)} ms`);
    await heal(leader);
    stop.abort();
    await load;
    t.true(accepted.size > before);

    const fresh = await openKafkaLog(t, settings);
    const read = (await readLog(fresh.log)).map(({ hash }) => hash);
    t.is(new Set(read).size, read.length);
    const kept = new Set(read);
    t.deepEqual([...accepted.keys()].filter((hash) => !kept.has(hash)), []);
    await fresh.close();
    await opened.close();
  });
}

test.serial('a leader that was deposed while it slept is not believed how far its partition goes', async (t) => {
  const kafka = await brokers;
  const settings = { brokers: kafka.brokers, topic: uniqueTopic(), partitions: 1, replication: 3 };
  const { topic } = settings;
  await ensureTopic(settings, 'test', new SpokenLines());
  t.is(await acknowledged(topic, kafka.brokers, patient), 0n);
  const { leader, address, others } = await leaderOf(topic, kafka);
  // Whatever it is told comes from the deposed one.
  const deposed = { ...settings, brokers: [address] };
  const connect = (): KafkaClient => connectKafka(deposed, 'test', new SpokenLines(), 'ask');
  const offsets = new TopicOffsets(connect, topic);
  t.teardown(() => { offsets.close(); });
  t.deepEqual(await offsets.ask(), new Map([[0, { low: 0n, high: 1n }]]));

  leader.pause();
  const rest = kafka.brokers.filter((broker) => broker !== address);
  const last = await acknowledged(topic, rest);
  // The others sleep while it wakes, so that it does not hear what they did: the moment before it hears lasts.
  for (const node of others) node.pause();
  leader.resume();
  await Promise.all([
    t.throwsAsync(offsets.ask(), { instanceOf: LogUnavailableError }),
    t.throwsAsync(askRanges(connect, deposed, new AbortController().signal), { instanceOf: TopicUnreadableError }),
  ]);
  for (const node of others) node.resume();
  const range = (await insist(() => offsets.ask())).get(0);
  t.true(range !== undefined && range.high > last, `the partition ends at ${range?.high ?? ''}, and the record at ${last} was acknowledged`);
});

/** One that waits for a leader which sleeps goes on waiting for it: each try asks anew who leads. */
const hasty = { requestTimeout: 1_000, retry: { retries: 0 } };

/** Where all brokers are well: a record that is acknowledged late is not sent again. */
const patient = {};

/**
 * Sends a record until it is acknowledged, by whoever leads then; resolves with its offset. Of a hasty producer records that were
 * acknowledged too late may lie before it.
 */
async function acknowledged(topic: string, addresses: readonly string[], patience: typeof hasty | typeof patient = hasty): Promise<bigint> {
  for (;;) {
    const producer = kafkaClient(addresses, patience).producer({ allowAutoTopicCreation: false, idempotent: patience === patient });
    try {
      await producer.connect();
      const [answer] = await producer.send({ topic, acks: -1, messages: [{ value: 'anything' }] });
      if (answer?.baseOffset !== undefined) return BigInt(answer.baseOffset);
    } catch {
      // No leader yet.
    } finally {
      await producer.disconnect();
    }
  }
}

/** Asks until the brokers, which have to find one another again, give an answer. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await ask().catch((error: unknown) => { if (!(error instanceof LogUnavailableError)) throw error; });
    if (answer !== undefined) return answer;
  }
}
