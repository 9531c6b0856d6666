import test from 'ava';
import { startKafka, type KafkaNode } from '../../../scripts/servers/start-kafka.ts';
import { hashCanonical } from '../../../src/log/canonical.ts';
import { TaskChain } from '../../contract/task-chain.ts';
import { readLog } from '../../contract/read-log.ts';
import { kafkaClient } from '../../servers/kafka-client.ts';
import { uniqueTopic } from '../../servers/unique-topic.ts';
import { openKafkaLog } from './open-kafka-log.ts';

/** The brokers notice so soon that one is gone. */
const sessionMs = 3_000;

/** So many append at once for as long as a test lasts: to each partition one or two. */
const appenders = 4;

const brokers = startKafka({
  brokers: 3, heapMiB: 256, properties: { 'broker.session.timeout.ms': String(sessionMs), 'broker.heartbeat.interval.ms': '500' },
});

test.after.always(async () => (await brokers).stop());

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

    const admin = kafkaClient(kafka.brokers).admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [settings.topic] });
    await admin.disconnect();
    const leader = kafka.nodes[(topics[0]?.partitions[0]?.leader ?? 1) - 1];
    if (leader === undefined) throw new Error('the partition has no leader');
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
