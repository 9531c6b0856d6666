import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';

import { startKafka } from '../../scripts/servers/start-kafka.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { kafkaClient, makeTopic, readAll, send } from './kafka-client.ts';
import { sharedKafka } from './shared-kafka.ts';
import { uniqueTopic } from './unique-topic.ts';

if (hasTool('kafka')) {
  test.serial('the shared broker takes a record and gives it back', async (t) => {
    const client = kafkaClient([await sharedKafka(t)]);
    const topic = uniqueTopic();
    await makeTopic(client, topic);
    await send(client, topic, 'one');
    t.deepEqual(await readAll(client, topic, 1), ['one']);
  });

  test.serial('a broker keeps its records when it is killed, and when its cluster is started again on its folder', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'kafka-test-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const kafka = await startKafka({ folder });
    t.teardown(() => kafka.stop());
    const [node] = kafka.nodes;
    const client = kafkaClient(kafka.brokers);
    const topic = uniqueTopic();
    await makeTopic(client, topic);
    await send(client, topic, 'before');

    const { pid } = node!;
    await node!.kill();
    t.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
    await kafka.stop();

    const again = await startKafka({ folder });
    t.teardown(() => again.stop());
    t.deepEqual(again.brokers, kafka.brokers);
    await send(client, topic, 'after');
    t.deepEqual(await readAll(client, topic, 2), ['before', 'after']);
    await again.stop();
    await t.throwsAsync(startKafka({ folder, brokers: 3 }), { message: /holds a cluster of 1 brokers, not 3/ });
  });
}
