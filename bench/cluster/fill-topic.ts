import { decodeCanonical } from '../../src/log/canonical.ts';
import { connectKafka } from '../../src/log/kafka/connect-kafka.ts';
import { ensureTopic } from '../../src/log/kafka/ensure-topic.ts';
import { messageOf } from '../../src/log/kafka/read-message.ts';
import { TopicSender } from '../../src/log/kafka/topic-sender.ts';
import { finishedImports } from '../finished-imports.ts';
import { benchTopic } from './bench-cluster.ts';

const nothing = (): void => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** Writes the events of `tasks` finished imports to the topic, as nodes would have; gives their number. */
export async function fillTopic(brokers: readonly string[], tasks: number): Promise<number> {
  const settings = { brokers, topic: benchTopic, partitions: 12, replication: 0 };
  await ensureTopic(settings, 'bench', log);
  const sender = new TopicSender(() => connectKafka(settings, 'bench', log, 'send'), benchTopic, log);
  let events = 0;
  for (const batch of finishedImports(tasks)) {
    await sender.send(batch.map((record) => messageOf(decodeCanonical(record), settings.partitions)));
    events += batch.length;
  }
  sender.close();
  return events;
}
