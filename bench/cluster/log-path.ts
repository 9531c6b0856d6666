/**
 * The log of a cluster without the service around it, in a process of its own: so many callers append the first record of a
 * new import, again and again. Arguments: brokers, data folder, callers, seconds. Prints the load as JSON.
 */
import { mkdirSync } from 'node:fs';
import { connectKafka, type KafkaPurpose } from '../../src/log/kafka/connect-kafka.ts';
import { ensureTopic } from '../../src/log/kafka/ensure-topic.ts';
import { KafkaEventLog } from '../../src/log/kafka/kafka-event-log.ts';
import { TopicOffsets } from '../../src/log/kafka/topic-offsets.ts';
import { TopicSender } from '../../src/log/kafka/topic-sender.ts';
import { openReplica } from '../../src/projector/replica.ts';
import { closedLoop } from '../closed-loop.ts';
import { createdImport } from '../finished-imports.ts';
import { benchTopic } from './bench-cluster.ts';

const [brokers = '', folder = '', callers = '', seconds = ''] = process.argv.slice(2);
const nothing = (): void => undefined;
const log = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const fail = (cause: unknown): never => { throw cause; };

const settings = { brokers: brokers.split(','), topic: benchTopic, partitions: 12, replication: 0 };
await ensureTopic(settings, 'bench', log);
mkdirSync(folder);
const replica = await openReplica(folder, { stageTimeoutMs: 86_400_000 }, fail);
const connect = (purpose: KafkaPurpose) => () => connectKafka(settings, 'bench', log, purpose);
const eventLog = new KafkaEventLog({
  connect: connect('read'), sender: new TopicSender(connect('send'), benchTopic, log), offsets: new TopicOffsets(connect('ask'), benchTopic),
  topic: benchTopic, partitions: settings.partitions, judge: replica, skip: new Set(), log, onEnd: fail,
});
await eventLog.catchUp(new AbortController().signal, nothing);
await replica.caughtUp();
const load = await closedLoop(Number(callers), Number(seconds), async () => {
  const outcome = await eventLog.append(createdImport());
  if (outcome.kind !== 'accepted') throw new Error(`an append was ${outcome.kind}`);
});
process.stdout.write(`${JSON.stringify(load)}\n`);
await eventLog.close();
await replica.close();
