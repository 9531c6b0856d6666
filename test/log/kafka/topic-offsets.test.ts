import test from 'ava';
import { setTimeout as wait } from 'node:timers/promises';
import { startKafka } from '../../../scripts/servers/start-kafka.ts';
import { startTcpProxy, type TcpProxy } from '../../../scripts/servers/tcp-proxy.ts';
import { LogUnavailableError } from '../../../src/log/event-log.ts';
import { connectKafka } from '../../../src/log/kafka/connect-kafka.ts';
import { TopicOffsets } from '../../../src/log/kafka/topic-offsets.ts';
import { hasTool } from '../../tooling/has-tool.ts';
import { SpokenLines } from './open-kafka-log.ts';
import { writtenTopic } from './written-topic.ts';

/** Until the signal aborts all that is sent waits, so that a fresh client, which asks several things, needs longer than one try. */
async function slowDown(proxy: TcpProxy, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    proxy.hang();
    await wait(700);
    await proxy.resume();
    await wait(5);
  }
}

if (hasTool('kafka')) {
  test('a broker that is slow to answer is heard all the same, and a hanging one is not waited for', async (t) => {
    let proxied: TcpProxy | undefined;
    const { brokers, stop } = await startKafka({
      advertised: async (_index, port) => {
        proxied = await startTcpProxy(port);
        return `127.0.0.1:${proxied.port}`;
      },
    });
    t.teardown(() => stop());
    const proxy = proxied!;
    t.teardown(() => proxy.stop());
    const topic = await writtenTopic(t, 1, brokers);
    await topic.write([{ name: 'anything', key: null, headers: {}, value: Buffer.from('anything'), partition: 0 }]);
    let connected = 0;
    const offsets = new TopicOffsets(() => {
      connected += 1;
      return connectKafka(topic.settings, 'test', new SpokenLines(), 'ask');
    }, topic.settings.topic);

    const slow = new AbortController();
    t.teardown(() => { slow.abort(); });
    const slowness = slowDown(proxy, slow.signal);
    t.deepEqual(await offsets.ask(), new Map([[0, { low: 0n, high: 1n }]]));
    t.true(connected > 1);
    slow.abort();
    await slowness;
    // What has answered is asked again.
    const whileSlow = connected;
    t.deepEqual(await offsets.ask(), new Map([[0, { low: 0n, high: 1n }]]));
    t.is(connected, whileSlow);

    proxy.hang();
    await t.throwsAsync(offsets.ask(), { instanceOf: LogUnavailableError, message: /no answer within|timed out/ });
    await proxy.resume();
    t.deepEqual(await offsets.ask(), new Map([[0, { low: 0n, high: 1n }]]));
    offsets.close();
    const before = connected;
    await t.throwsAsync(offsets.ask(), { instanceOf: LogUnavailableError });
    t.is(connected, before);
  });
}
