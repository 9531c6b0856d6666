/**
 * What kafkajs does by itself with a topic of the log: reads all of its messages, and looks at none. Arguments: brokers, messages.
 * Prints the seconds that it took, without the start of the process, as JSON.
 */
import { randomUUID } from 'node:crypto';
import kafkajs from 'kafkajs';
import { benchTopic } from './bench-cluster.ts';

const [brokers = '', messages = ''] = process.argv.slice(2);
const kafka = new kafkajs.Kafka({ clientId: 'bench', brokers: brokers.split(','), logLevel: kafkajs.logLevel.NOTHING });
const consumer = kafka.consumer({ groupId: randomUUID(), maxBytes: 8_388_608 });
const all = Promise.withResolvers<void>();
let left = Number(messages);
await consumer.connect();
await consumer.subscribe({ topics: [benchTopic], fromBeginning: true });
const startedMs = performance.now();
await consumer.run({
  autoCommit: false,
  partitionsConsumedConcurrently: 12,
  eachBatch: async ({ batch }) => {
    left -= batch.messages.length;
    if (left <= 0) all.resolve();
  },
});
await all.promise;
process.stdout.write(`${JSON.stringify({ seconds: (performance.now() - startedMs) / 1_000 })}\n`);
await consumer.disconnect();
