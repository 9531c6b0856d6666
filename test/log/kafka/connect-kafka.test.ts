import test from 'ava';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { connectKafka } from '../../../src/log/kafka/connect-kafka.ts';
import { clusterOf } from '../../../src/log/kafka/who-leads.ts';
import { SpokenLines } from './open-kafka-log.ts';

/** As much of the connections of kafkajs as is used here. */
interface Connection {
  readonly socket: Socket;
  disconnect(): Promise<unknown>;
}
interface Connected {
  readonly brokerPool: { readonly seedBroker: { readonly connectionPool: { readonly pool: readonly Connection[] } } };
}

test('a connection that is gone may be ended however often, and keeps nothing of it', async (t) => {
  // A broker that hangs up at once; kafkajs keeps the connection that it has lost.
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const brokers = [`127.0.0.1:${(server.address() as AddressInfo).port}`];
  const { kafka, close } = connectKafka({ brokers, topic: 'lehr.events', partitions: 1, replication: 1 }, 'test', new SpokenLines(), 'ask');
  t.teardown(close);
  const cluster = clusterOf(kafka);
  await t.throwsAsync(cluster.connect());
  const [connection] = (cluster as unknown as Connected).brokerPool.seedBroker.connectionPool.pool;
  if (connection === undefined) throw new Error('this version of kafkajs keeps its connections elsewhere');
  const { socket } = connection;
  if (!socket.closed) await once(socket, 'close');
  for (let times = 0; times < 12; times += 1) await connection.disconnect();
  t.is(connection.socket, socket);
  t.is(socket.listenerCount('connect'), 0);
});
