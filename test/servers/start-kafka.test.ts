import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';
import type { KafkaConfig } from 'kafkajs';

import { startKafka } from '../../scripts/servers/start-kafka.ts';
import { startTcpProxy } from '../../scripts/servers/tcp-proxy.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { kafkaClient, makeTopic, readAll, send, tlsOf } from './kafka-client.ts';
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
    await node!.start();
    await send(client, topic, 'after');
    await kafka.stop();

    const again = await startKafka({ folder });
    t.teardown(() => again.stop());
    t.deepEqual(again.brokers, kafka.brokers);
    t.deepEqual(await readAll(client, topic, 2), ['before', 'after']);
    await again.stop();
    await t.throwsAsync(startKafka({ folder, brokers: 3 }), { message: /holds a cluster of 1 brokers, not 3/ });
  });

  test.serial('three brokers go on without the leader, and take it back', async (t) => {
    const kafka = await startKafka({ brokers: 3, properties: { 'broker.session.timeout.ms': '2500' } });
    t.teardown(() => kafka.stop());
    const client = kafkaClient(kafka.brokers);
    const topic = uniqueTopic();
    await makeTopic(client, topic, 3);
    await send(client, topic, 'before');

    const admin = client.admin();
    await admin.connect();
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    await admin.disconnect();
    const leader = kafka.nodes[(topics[0]?.partitions[0]?.leader ?? 0) - 1]!;
    await leader.kill();
    await send(client, topic, 'after');
    t.deepEqual(await readAll(client, topic, 2), ['before', 'after']);
    await t.notThrowsAsync(leader.start());
  });

  if (hasTool('openssl')) {
    test.serial('clients can be asked for TLS, a certificate and a password, and be sent through a proxy', async (t) => {
      const proxies: Awaited<ReturnType<typeof startTcpProxy>>[] = [];
      const kafka = await startKafka({
        security: { tls: 'mutual', sasl: { mechanism: 'scram-sha-512', username: 'lehr', password: 'se-cret.1' } },
        advertised: async (_, port) => {
          const proxy = await startTcpProxy(port);
          proxies.push(proxy);
          return `localhost:${proxy.port}`;
        },
      });
      t.teardown(() => kafka.stop());
      t.teardown(() => Promise.all(proxies.map((proxy) => proxy.stop())));
      t.deepEqual(kafka.brokers, proxies.map(({ port }) => `localhost:${port}`));

      const { ca, cert, key } = tlsOf(kafka);
      const topics = async (ssl: KafkaConfig['ssl'], password?: string): Promise<unknown> => {
        // A new object for each client: kafkajs keeps the first password that it saw in it.
        const sasl = password === undefined ? {} : { sasl: { mechanism: 'scram-sha-512' as const, username: 'lehr', password } };
        const admin = kafkaClient(kafka.brokers, { ...(ssl === undefined ? {} : { ssl }), ...sasl, retry: { retries: 0 } }).admin();
        try {
          await admin.connect();
          return await admin.listTopics();
        } catch {
          return 'refused';
        } finally {
          await admin.disconnect();
        }
      };
      t.deepEqual(await topics({ ca, cert, key }, 'se-cret.1'), ['__consumer_offsets']);
      t.deepEqual(await topics({ ca, cert, key }, 'secret'), 'refused');
      t.deepEqual(await topics({ ca, cert, key }), 'refused');
      t.deepEqual(await topics({ ca }, 'se-cret.1'), 'refused');
      t.deepEqual(await topics(undefined, 'se-cret.1'), 'refused');
    });
  }
}
