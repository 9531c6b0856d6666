import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { connectKafka, type KafkaPurpose } from '../log/kafka/connect-kafka.ts';
import { ensureTopic } from '../log/kafka/ensure-topic.ts';
import { KafkaEventLog } from '../log/kafka/kafka-event-log.ts';
import { storedTopic } from '../log/kafka/audit/stored-topic.ts';
import { TopicOffsets } from '../log/kafka/topic-offsets.ts';
import { TopicSender } from '../log/kafka/topic-sender.ts';
import { openReplica } from '../projector/replica.ts';
import type { Config } from '../settings.ts';
import type { Backend } from './backend.ts';
import { kafkaSettingsOf } from './kafka-settings-of.ts';
import { openNats } from './nats-coordination.ts';

/**
 * The log in Kafka, jobs and signals in NATS: one node of a cluster, with projections of its own in `folder`, which the caller has
 * locked. Rejects, with a message for the operator, where the topic, NATS or the folder is not fit.
 */
export async function openCluster(folder: string, config: Config, logger: Logger, onDeath: (cause: unknown) => void): Promise<Backend> {
  if (existsSync(join(folder, 'log.db'))) {
    throw new Error(`data-dir: ${folder} holds the log of an embedded server (log.db), which a cluster would not read. Give this node a folder of its own.`);
  }
  const settings = kafkaSettingsOf(config);
  const clientId = `lehr-${hostname()}-${process.pid}`;
  await ensureTopic(settings, clientId, logger);
  const coordination = await openNats(folder, config, logger);
  try {
    const replica = await openReplica(folder, { stageTimeoutMs: config['stage-timeout'] }, onDeath);
    const { topic, partitions } = settings;
    const skip = new Set(config['kafka-skip']);
    const connect = (purpose: KafkaPurpose) => () => connectKafka(settings, clientId, logger, purpose);
    const log = new KafkaEventLog({
      connect: connect('read'), sender: new TopicSender(connect('send'), topic, logger), offsets: new TopicOffsets(connect('ask'), topic),
      topic, partitions, judge: replica, skip, log: logger, onEnd: onDeath,
    });
    const stop = new AbortController();
    const catchUp = async (): Promise<void> => {
      await log.catchUp(stop.signal, (left) => { logger.info({ records_left: left }, 'catching up with the log'); });
      await replica.caughtUp();
    };
    const ready = catchUp();
    ready.catch(() => undefined);
    return {
      projectionsFolder: replica.projectionsFolder,
      applied: replica.applied,
      ready,
      coordination,
      openLog: () => log,
      storedRecords: (subject, signal) => storedTopic({ settings, clientId: `${clientId}-audit`, log: logger, skip, subject }, signal),
      get lagRecords() { return log.lagRecords; },
      get haltedPartitions() { return log.haltedCount; },
      get unknownTypes() { return replica.unknownTypes; },
      problems: () => [
        ...log.problems,
        ...(replica.lagging === undefined ? [] : [`the projections cannot be written: ${replica.lagging}`]),
      ],
      interrupt: async () => { stop.abort(new Error('the server stops')); },
      async close() {
        await log.close();
        await replica.close();
        await coordination.close();
      },
    };
  } catch (cause) {
    await coordination.close();
    throw cause;
  }
}
