import test from 'ava';
import { startNats } from '../../../scripts/servers/start-nats.ts';
import type { Heartbeat } from '../../../src/jobs/heartbeats.ts';
import { formatIncarnation } from '../../../src/jobs/incarnation.ts';
import { NatsHeartbeats } from '../../../src/jobs/nats/nats-heartbeats.ts';
import { NatsSignals } from '../../../src/jobs/nats/nats-signals.ts';
import type { ProgressSignal, Signals } from '../../../src/jobs/signals.ts';
import { systemClock } from '../../../src/jobs/system-clock.ts';
import { sharedNats } from '../../servers/shared-nats.ts';
import { hasTool } from '../../tooling/has-tool.ts';
import { NatsBench, newTask, noticed, type QueueNode } from './nats-bench.ts';

const heartbeatOf = (generation: number, leaving = false): Heartbeat => {
  const life = { node: '4b7706d4-c183-5c89-b5a6-a7cbeaa0637e', generation };
  return { ...life, incarnation: formatIncarnation(life), leaving };
};

const signalOf = (taskId: string, bytesDone: bigint): ProgressSignal => ({
  taskId, progress: { stage: 'fetch', bytesDone, bytesTotal: 2n ** 63n - 1n, bytesPerSecond: 0n },
});

const signalsOver = (bench: NatsBench, { link, log }: QueueNode): NatsSignals => new NatsSignals(link, bench.names, systemClock, log);
const heartbeatsOver = (bench: NatsBench, { link, log }: QueueNode): NatsHeartbeats =>
  new NatsHeartbeats(link, bench.names, systemClock, log);

/** Collects what is told until `count` have come. */
function hear<Message>(source: { listen(listener: (message: Message) => void): () => void }, count: number): Promise<readonly Message[]> {
  const heard: Message[] = [];
  return new Promise((resolve) => {
    const stop = source.listen((message) => {
      heard.push(message);
      if (heard.length < count) return;
      stop();
      resolve(heard);
    });
  });
}

if (hasTool('nats-server')) {
  test('what one node tells all hear, each once and in order; those of the same process without the way over NATS', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const [one, other] = [await bench.node(), await bench.node()];
    const [mine, theirs] = [signalsOver(bench, one), signalsOver(bench, other)];
    await other.link.connection.flush();
    const sent = [signalOf(newTask(), 1n), signalOf(newTask(), 2n ** 60n), { taskId: newTask(), progress: undefined }];
    const here: ProgressSignal[] = [];
    mine.listen((signal) => { here.push(signal); });
    const there = hear(theirs, sent.length);
    for (const signal of sent) mine.publish(signal);
    t.deepEqual(here, sent, 'at once');
    t.deepEqual(await there, sent);
    // What came back to the sender stands before its answer to a ping.
    await one.link.connection.flush();
    t.deepEqual(here, sent, 'and not again');
  });

  test('who has left is told nothing more', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const node = await bench.node();
    const heartbeats = heartbeatsOver(bench, node);
    const heard: Heartbeat[] = [];
    const stop = heartbeats.listen((heartbeat) => { heard.push(heartbeat); });
    const rest = hear(heartbeats, 2);
    heartbeats.beat(heartbeatOf(1));
    await node.link.connection.flush();
    stop();
    heartbeats.beat(heartbeatOf(2));
    await rest;
    t.deepEqual(heard, [heartbeatOf(1)]);
  });

  test('a node hears its own heartbeats and those of others', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const nodes = await Promise.all([bench.node(), bench.node()]);
    const [one, other] = nodes.map((node) => heartbeatsOver(bench, node)) as [NatsHeartbeats, NatsHeartbeats];
    const sent = [heartbeatOf(1), heartbeatOf(2), heartbeatOf(2, true)];
    const heard = [hear(one, sent.length), hear(other, sent.length)];
    await Promise.all(nodes.map(({ link }) => link.connection.flush()));
    for (const heartbeat of sent) one.beat(heartbeat);
    t.deepEqual(await Promise.all(heard), [sent, sent]);
  });

  const nonsense = [
    '', 'x', 'null', '[]', '{}', '{"incarnation":1,"leaving":true}', '{"incarnation":"a.1"}', '{"incarnation":"a","leaving":false}', '{"taskId":"t"}',
    '{"sender":"s","taskId":"t","stage":"fetch"}', '{"sender":"s","taskId":"t","numbers":["1","2","3"]}', '{"sender":"s","taskId":"t","stage":"fetch","numbers":["1","2"]}',
    '{"sender":"s","taskId":"t","stage":"fetch","numbers":["1","2","-3"]}', '{"sender":"s","taskId":"t","stage":"fetch","numbers":[1,2,3]}',
    JSON.stringify({ incarnation: 'a.1', leaving: false, sender: 's', taskId: 't', more: 'x'.repeat(2_000) }),
  ];

  test('messages that are none are ignored, and told once a minute without what is in them', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const node = await bench.node();
    const signals: Signals = signalsOver(bench, node);
    const heartbeats = heartbeatsOver(bench, node);
    const [signal, heartbeat] = [signalOf(newTask(), 7n), heartbeatOf(7)];
    const heard = Promise.all([hear(signals, 1), hear(heartbeats, 1)]);
    await node.link.connection.flush();
    const client = await bench.client();
    for (const text of nonsense) {
      client.publish(bench.names.progress, text);
      client.publish(bench.names.heartbeats, text);
    }
    await client.flush();
    await node.link.connection.flush();
    heartbeats.beat(heartbeat);
    signals.publish(signal);
    t.deepEqual(await heard, [[signal], [heartbeat]]);
    t.deepEqual(node.log.said, [bench.names.progress, bench.names.heartbeats].map((subject) => ({
      level: 'warn', fields: { subject, count: 1 }, message: 'messages in NATS that this service does not understand were ignored',
    })));
  });

  test('while NATS is away only the own process hears; afterwards all do again', async (t) => {
    const server = await startNats();
    t.teardown(() => server.stop());
    const bench = new NatsBench(t, server.url);
    const nodes = await Promise.all([bench.node(), bench.node()]);
    const [one, other] = nodes.map((node) => ({ signals: signalsOver(bench, node), heartbeats: heartbeatsOver(bench, node) }));
    const heard = [hear(other!.signals, 1), hear(other!.heartbeats, 1), hear(one!.heartbeats, 1)];
    const [away, back] = [newTask(), newTask()];
    const here: string[] = [];
    one!.signals.listen(({ taskId }) => { here.push(taskId); });
    const gone = nodes.map(noticed);
    await server.kill();
    await Promise.all(gone);
    one!.signals.publish(signalOf(away, 1n));
    one!.heartbeats.beat(heartbeatOf(1));
    t.deepEqual(here, [away]);
    const ready = nodes.map(({ nextLoss }) => nextLoss);
    await server.start();
    await Promise.all(ready);
    one!.signals.publish(signalOf(back, 2n));
    one!.heartbeats.beat(heartbeatOf(2));
    t.deepEqual(await Promise.all(heard), [[signalOf(back, 2n)], [heartbeatOf(2)], [heartbeatOf(2)]]);
  });
}
