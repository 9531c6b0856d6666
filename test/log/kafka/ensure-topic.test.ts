import test from 'ava';
import kafkajs, { type ITopicConfig } from 'kafkajs';
import { ensureTopic } from '../../../src/log/kafka/ensure-topic.ts';
import { freePorts } from '../../../scripts/servers/free-ports.ts';
import { kafkaClient } from '../../servers/kafka-client.ts';
import { sharedKafka } from '../../servers/shared-kafka.ts';
import { uniqueTopic } from '../../servers/unique-topic.ts';
import { SpokenLines } from './open-kafka-log.ts';

const kept = { 'retention.ms': '-1', 'retention.bytes': '-1', 'max.message.bytes': '8388608' };

const entries = (config: Readonly<Record<string, string>>): ITopicConfig['configEntries'] => Object.entries(config).map(([name, value]) => ({ name, value }));

test('a topic that is not there is made so that nothing is ever forgotten, by however many nodes start at once', async (t) => {
  const brokers = [await sharedKafka(t)];
  const topic = uniqueTopic();
  const settings = { brokers, topic, partitions: 5, replication: 0 };
  const spoken = new SpokenLines();
  await Promise.all([1, 2, 3].map(() => ensureTopic(settings, 'test', spoken)));
  t.true(spoken.lines.includes('the topic of the log was made'));
  t.true(spoken.lines.some((line) => /fewer than 3 copies of each record/.test(line)));

  const admin = kafkaClient(brokers).admin();
  await admin.connect();
  t.teardown(() => admin.disconnect());
  const resources = [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic }];
  const described = await admin.describeConfigs({ includeSynonyms: false, resources });
  const found = described.resources[0]?.configEntries ?? [];
  const values = Object.fromEntries(found.map(({ configName, configValue }) => [configName, configValue]));
  t.like(values, { ...kept, 'cleanup.policy': 'delete', 'unclean.leader.election.enable': 'false', 'min.insync.replicas': '1' });
  t.is((await admin.fetchTopicMetadata({ topics: [topic] })).topics[0]?.partitions.length, 5);
});

const unfit: readonly (readonly [title: string, made: Omit<ITopicConfig, 'topic'>, problem: RegExp])[] = [
  ['has another number of partitions', { numPartitions: 4, configEntries: entries(kept) }, /has 4 partitions, and kafka-partitions says 3\. Set kafka-partitions to 4/],
  ['is compacted', { configEntries: entries({ ...kept, 'cleanup.policy': 'compact' }) }, /has cleanup\.policy=compact, which may lose events\. Set it with: kafka-configs\.sh/],
  ['forgets by time', { configEntries: entries({ ...kept, 'retention.ms': '604800000' }) }, /has retention\.ms=604800000, which may lose events/],
  ['forgets by size', { configEntries: entries({ ...kept, 'retention.bytes': '1073741824' }) }, /has retention\.bytes=1073741824/],
  ['takes only small records', { configEntries: entries({ ...kept, 'max.message.bytes': '1048588' }) }, /has max\.message\.bytes=1048588, which large events do not fit/],
  ['lets a replica lead that lags', { configEntries: entries({ ...kept, 'unclean.leader.election.enable': 'true' }) }, /has unclean\.leader\.election\.enable=true/],
];

for (const [title, made, problem] of unfit) {
  test(`a topic that ${title} is refused with the remedy, and left as it is`, async (t) => {
    const brokers = [await sharedKafka(t)];
    const topic = uniqueTopic();
    const admin = kafkaClient(brokers).admin();
    await admin.connect();
    t.teardown(() => admin.disconnect());
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 3, ...made }] });
    await t.throwsAsync(ensureTopic({ brokers, topic, partitions: 3, replication: 0 }, 'test', new SpokenLines()), { name: 'TopicUnfitError', message: problem });
  });
}

test('more copies than brokers are refused', async (t) => {
  const settings = { brokers: [await sharedKafka(t)], topic: uniqueTopic(), partitions: 3, replication: 3 };
  await t.throwsAsync(ensureTopic(settings, 'test', new SpokenLines()), { message: /^kafka-replication: 3 copies need as many brokers, and 1 can be seen/ });
});

test('brokers that cannot be reached are named', async (t) => {
  const [port = 0] = await freePorts(1);
  const settings = { brokers: [`127.0.0.1:${port}`], topic: uniqueTopic(), partitions: 3, replication: 0 };
  await t.throwsAsync(ensureTopic(settings, 'test', new SpokenLines()), { message: new RegExp(`^Kafka cannot be reached at 127\\.0\\.0\\.1:${port} \\(kafka-brokers\\): `) });
});
