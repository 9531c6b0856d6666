import { join } from 'node:path';
import { startReady } from '../processes.ts';
import { median, type Figure } from '../report.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { fillTopic } from './fill-topic.ts';

const tasks = 30_000;
const rounds = 3;

/** The seconds that kafkajs alone takes to read them. */
async function bareSeconds(brokers: readonly string[], events: number): Promise<number> {
  const running = await startReady(process.execPath, [
    '--disable-warning=TimeoutNegativeWarning', join(import.meta.dirname, 'bare-replay.ts'), brokers.join(','), String(events),
  ]);
  await running.stop();
  return (JSON.parse(running.line) as { readonly seconds: number }).seconds;
}

/** A fresh node on a topic of finished imports, from the start of its process until it serves. */
export async function* benchClusterReplay(folder: string): AsyncGenerator<Figure> {
  const cluster = await startBenchCluster(join(folder, 'cluster-replay'));
  try {
    const startSeconds = async (name: string): Promise<{ readonly seconds: number; readonly peakMiB: number }> => {
      const started = performance.now();
      const node = await cluster.startNode(name, { workers: '0' });
      const seconds = (performance.now() - started) / 1_000;
      const { peakBytes } = node.memory();
      await node.stop();
      return { seconds, peakMiB: peakBytes / 2 ** 20 };
    };
    const onEmpty = [];
    for (let round = 0; round < rounds; round += 1) onEmpty.push((await startSeconds(`empty-${round}`)).seconds);
    const events = await fillTopic(cluster.kafka.brokers, tasks);
    const onFull = [];
    const bare = [];
    for (let round = 0; round < rounds; round += 1) {
      onFull.push(await startSeconds(`full-${round}`));
      bare.push(await bareSeconds(cluster.kafka.brokers, events));
    }
    const seconds = median(onFull.map((start) => start.seconds));
    const short = median(onEmpty);
    const barePerSecond = events / median(bare);
    const versus = 'kafkajs by itself';
    yield { name: 'kafkajs by itself, reading the same', value: barePerSecond, unit: 'events/s', versus: '', ratio: undefined };
    yield { name: 'start of a node on an empty topic', value: short * 1_000, unit: 'ms', versus: '', ratio: undefined };
    yield { name: `start on ${events.toLocaleString('en')} events, all of it`, value: events / seconds, unit: 'events/s', versus: '', ratio: undefined };
    const perSecond = events / (seconds - short);
    yield { name: 'the same without the start on an empty topic', value: perSecond, unit: 'events/s', versus, ratio: perSecond / barePerSecond };
    yield { name: 'resident memory after it, peak', value: Math.max(...onFull.map(({ peakMiB }) => peakMiB)), unit: 'MiB', versus: '', ratio: undefined };
  } finally {
    await cluster.stop();
  }
}
