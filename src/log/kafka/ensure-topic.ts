import { setTimeout as wait } from 'node:timers/promises';
import kafkajs, { type Admin, type ITopicConfig } from 'kafkajs';
import { connectKafka, kafkaProblem, type KafkaLog } from './connect-kafka.ts';
import { insyncFloor, replicationGoal, type KafkaSettings } from './kafka-settings.ts';

/** The topic or the brokers are not fit for the log; the message says what to do. */
export class TopicUnfitError extends Error {
  override readonly name = 'TopicUnfitError';
}

/** The brokers are given so long to make a topic. */
const makeLimitMs = 7_000;

/** A topic that was just made is not known to every broker at once: it is looked for again, this often, this many times. */
const lookEveryMs = 250;
const looks = 40;

/** Brokers that are still missing are looked for so often. */
const brokerLooks = 12;

/** What the configuration of the topic must say (design: nothing is ever forgotten, and no replica that lags becomes leader). */
const required: Readonly<Record<string, string>> = {
  'cleanup.policy': 'delete',
  'retention.ms': '-1',
  'retention.bytes': '-1',
  'unclean.leader.election.enable': 'false',
};

/** A record may be as large as a request to create a task, which gRPC bounds to 4 MiB. */
export const recordBytesLimit = 4_194_304;

/** What a topic that is made takes at a time: records of one partition travel together. */
const madeMessageBytes = 8_388_608;

/**
 * Makes the topic where there is none, and checks it where there is one: nothing is changed. Rejects with `TopicUnfitError`
 * where it does not fit the settings or would lose records, or where no broker can be reached.
 */
export async function ensureTopic(settings: KafkaSettings, clientId: string, log: KafkaLog): Promise<void> {
  const { kafka, close } = connectKafka(settings, clientId, log, 'start');
  const admin = kafka.admin();
  try {
    try {
      await admin.connect();
    } catch (cause) {
      throw new TopicUnfitError(`Kafka cannot be reached at ${settings.brokers.join(', ')} (kafka-brokers): ${kafkaProblem(cause)}.`, { cause });
    }
    const names = await admin.listTopics();
    if (!names.includes(settings.topic)) await makeTopic(admin, settings, log);
    await checkTopic(admin, settings, log);
  } catch (cause) {
    if (cause instanceof TopicUnfitError) throw cause;
    throw new TopicUnfitError(`The topic ${settings.topic} could not be made or checked: ${kafkaProblem(cause)}.`, { cause });
  } finally {
    close();
  }
}

async function makeTopic(admin: Admin, { topic, partitions, replication }: KafkaSettings, log: KafkaLog): Promise<void> {
  const brokers = await countBrokers(admin, replication === 0 ? replicationGoal : replication);
  const copies = replication === 0 ? Math.min(brokers, replicationGoal) : replication;
  if (copies > brokers) {
    throw new TopicUnfitError(`kafka-replication: ${copies} copies need as many brokers, and ${brokers} can be seen. Start more brokers, or ask for fewer copies.`);
  }
  const config: ITopicConfig = {
    topic, numPartitions: partitions, replicationFactor: copies,
    configEntries: Object.entries({
      ...required, 'max.message.bytes': String(madeMessageBytes), 'min.insync.replicas': copies >= replicationGoal ? String(insyncFloor) : '1',
    }).map(([name, value]) => ({ name, value })),
  };
  try {
    await admin.createTopics({ topics: [config], waitForLeaders: false, timeout: makeLimitMs });
    log.info({ topic, partitions, copies }, 'the topic of the log was made');
  } catch (cause) {
    // Another node was faster, or a broker answered too late.
    if (!(await admin.listTopics()).includes(topic)) throw cause instanceof kafkajs.KafkaJSAggregateError ? cause.errors[0] : cause;
  }
}

/** How many brokers there are; brokers that start together with this node are waited for, since a topic keeps its copies for ever. */
async function countBrokers(admin: Admin, wanted: number): Promise<number> {
  for (let left = brokerLooks; ; left -= 1) {
    const { brokers } = await admin.describeCluster();
    if (brokers.length >= wanted || left === 1) return brokers.length;
    await wait(lookEveryMs);
  }
}

async function checkTopic(admin: Admin, { topic, partitions }: KafkaSettings, log: KafkaLog): Promise<void> {
  const found = await patiently(() => findTopic(admin, topic));
  if (found.length !== partitions) {
    throw new TopicUnfitError(`The topic ${topic} has ${found.length} partitions, and kafka-partitions says ${partitions}. Set kafka-partitions to ${found.length}, or name another topic.`);
  }
  const { resources } = await patiently(() => admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name: topic, configNames: [...Object.keys(required), 'min.insync.replicas', 'max.message.bytes'] }],
  }));
  const values = new Map(resources[0]?.configEntries.map(({ configName, configValue }) => [configName, configValue]));
  for (const [name, value] of Object.entries(required)) {
    if (values.get(name) === value) continue;
    throw new TopicUnfitError(
      `The topic ${topic} has ${name}=${values.get(name) ?? ''}, which may lose events. Set it with: kafka-configs.sh --alter --entity-type topics `
      + `--entity-name ${topic} --add-config ${name}=${value}`,
    );
  }
  if (Number(values.get('max.message.bytes')) < recordBytesLimit) {
    throw new TopicUnfitError(
      `The topic ${topic} has max.message.bytes=${values.get('max.message.bytes') ?? ''}, which large events do not fit. Set it with: kafka-configs.sh --alter `
      + `--entity-type topics --entity-name ${topic} --add-config max.message.bytes=${madeMessageBytes}`,
    );
  }
  const copies = Math.min(...found.map(({ replicas }) => replicas.length));
  const insync = Number(values.get('min.insync.replicas'));
  if (copies >= replicationGoal && insync < insyncFloor) {
    throw new TopicUnfitError(
      `The topic ${topic} has ${copies} copies of each record and min.insync.replicas=${insync}: a record that was acknowledged by one of them can be lost with it. `
      + `Set it with: kafka-configs.sh --alter --entity-type topics --entity-name ${topic} --add-config min.insync.replicas=${insyncFloor}`,
    );
  }
  if (copies < replicationGoal) log.warn({ topic, copies }, `the topic has fewer than ${replicationGoal} copies of each record: a lost disk may lose acknowledged events`);
}

async function findTopic(admin: Admin, topic: string): Promise<readonly { readonly replicas: readonly number[] }[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics[0]?.partitions ?? [];
  if (partitions.length > 0 && partitions.every(({ leader }) => leader >= 0)) return partitions;
  throw new TopicUnfitError(`The topic ${topic} has partitions without a leader: see that enough brokers are up, then start again.`);
}

async function patiently<T>(look: () => Promise<T>): Promise<T> {
  for (let left = looks; ; left -= 1) {
    try {
      return await look();
    } catch (cause) {
      if (left === 1) throw cause;
      await wait(lookEveryMs);
    }
  }
}
