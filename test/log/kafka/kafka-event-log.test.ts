import { eventLogContract } from '../../contract/event-log.ts';
import { sharedKafka } from '../../servers/shared-kafka.ts';
import { uniqueTopic } from '../../servers/unique-topic.ts';
import { meddlingSender } from './meddling-sender.ts';
import { openKafkaLog } from './open-kafka-log.ts';

/** One partition, as the embedded log has, and several, with every send meddled with. */
const variants = [
  { name: 'Kafka, one partition', partitions: 1, meddles: false },
  { name: 'Kafka, five partitions, records sent twice, late and in another order', partitions: 5, meddles: true },
];

for (const { name, partitions, meddles } of variants) {
  eventLogContract(name, async (t) => {
    const settings = { brokers: [await sharedKafka(t)], topic: uniqueTopic(), partitions, replication: 1 };
    let seed = 1;
    const open = (folder?: string) => openKafkaLog(t, settings, {
      ...(folder === undefined ? {} : { folder }),
      ...(meddles ? { meddle: (sender) => meddlingSender(sender, seed += 1) } : {}),
    });
    let opened = await open();
    return {
      log: opened.log,
      async reopen() {
        await opened.close();
        opened = await open(opened.folder);
        return opened.log;
      },
    };
  });
}
