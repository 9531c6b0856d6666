/**
 * What kafkajs does by itself, without the rule of the log, its rows and its care for faults: so many callers send a message with the
 * headers and value of a record, in batches of one turn, and wait until they have read it back. Arguments: brokers, callers,
 * seconds. Prints the load as JSON.
 */
import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { decodeCanonical } from '../../src/log/canonical.ts';
import { messageOf, type OutgoingMessage } from '../../src/log/kafka/read-message.ts';
import { closedLoop } from '../closed-loop.ts';
import { createdImport } from '../finished-imports.ts';

const [brokers = '', callers = '', seconds = ''] = process.argv.slice(2);
const topic = 'bare-kafkajs';
const partitions = 12;

const kafka = new kafkajs.Kafka({ clientId: 'bench', brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
const admin = kafka.admin();
await admin.connect();
await admin.createTopics({ topics: [{ topic, numPartitions: partitions, replicationFactor: 1 }], waitForLeaders: true });
const producer = kafka.producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
await producer.connect();

const awaited = new Map<string, () => void>();
const consumer = kafka.consumer({ groupId: randomUUID(), maxWaitTimeInMs: 100 });
const joined = Promise.withResolvers<unknown>();
consumer.on(consumer.events.GROUP_JOIN, joined.resolve);
await consumer.connect();
await consumer.subscribe({ topics: [topic], fromBeginning: true });
await consumer.run({
  autoCommit: false,
  partitionsConsumedConcurrently: partitions,
  eachBatch: async ({ batch }) => {
    for (const { headers } of batch.messages) awaited.get(String(headers?.['ce_id']))?.();
  },
});
await joined.promise;

let waiting: OutgoingMessage[] = [];
function send(): void {
  const messages = waiting;
  waiting = [];
  void producer.send({ topic, messages, acks: -1 });
}
const load = await closedLoop(Number(callers), Number(seconds), async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const message = messageOf(decodeCanonical(createdImport()), partitions);
  awaited.set(message.headers['ce_id'] ?? '', resolve);
  waiting.push(message);
  if (waiting.length === 1) setImmediate(send);
  await promise;
});
process.stdout.write(`${JSON.stringify(load)}\n`);
await Promise.all([consumer.disconnect(), producer.disconnect(), admin.disconnect()]);
