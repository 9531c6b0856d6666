import { mkdirSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { TaskServiceClient, CreateTaskResponse, WatchTasksResponse } from '../../src/gen/lehr/v1/task_service.ts';
import { startReady } from '../processes.ts';
import { percentile, type Figure } from '../report.ts';
import { answered, importRequest, taskClient } from '../rpc.ts';
import { bootable } from '../small-imports.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { openLoop } from './open-loop.ts';

const watcherCount = 1_000;
/** Connections that share the watches. */
const connections = 8;
const mostPerSecond = 200;
/** A machine that cannot carry as many has this share of what it can, or what is measured is how they wait for their turn. */
const shareOfCapacity = 0.6;
const capacityTasks = 1_500;
const warmUpMs = 5_000;
const measuredMs = 20_000;
const imageBytes = 65_536;

/** So long after the last task was accepted the last one must have ended. */
const patienceMs = 120_000;

/** How late 1,000 watchers on one node, each with a filter of its own, hear of the ends of small imports on two nodes. */
export async function* benchWatchers(folder: string): AsyncGenerator<Figure> {
  const cluster = await startBenchCluster(join(folder, 'watchers'));
  const sources = join(folder, 'watchers-sources');
  mkdirSync(sources);
  writeFileSync(join(sources, 'small.raw'), bootable(randomBytes(imageBytes)));
  const source = await startReady(process.execPath, [join(import.meta.dirname, '../source-server.ts'), sources]);
  try {
    const [watched, other] = [await cluster.startNode('node-1'), await cluster.startNode('node-2')];
    const lagsMs: number[] = [];
    let accepted = 0;
    let ended = 0;
    let isMeasured = false;
    const onMessage = ({ message }: WatchTasksResponse): void => {
      if (message?.$case !== 'change' || message.value.endTime === undefined) return;
      if (message.value.state !== 'STATE_SUCCEEDED') throw new Error(message.value.failure?.message);
      ended += 1;
      if (isMeasured) lagsMs.push(Date.now() - message.value.endTime.getTime());
    };
    const watching = Array.from({ length: connections }, () => taskClient(watched.grpc));
    const watches = await Promise.all(Array.from({ length: watcherCount }, (_, number) =>
      openWatch(watching[number % connections] ?? taskClient(watched.grpc), `labels.watcher = "${number}"`, onMessage)));

    const creating = taskClient(other.grpc);
    const request = importRequest(`${source.line}/small.raw`);
    const create = async (): Promise<void> => {
      const labels = { watcher: String(accepted % watcherCount) };
      accepted += 1;
      await answered<CreateTaskResponse>((callback) => creating.createTask({ ...request, labels }, callback));
    };
    const heard = async (): Promise<void> => {
      for (const untilMs = performance.now() + patienceMs; ended < accepted;) {
        if (performance.now() > untilMs) throw new Error(`${accepted - ended} of ${accepted} tasks were not heard to end`);
        await new Promise((resolve) => { setTimeout(resolve, 50); });
      }
    };
    await openLoop(mostPerSecond / 4, create, AbortSignal.timeout(warmUpMs));
    await heard();
    const begunMs = performance.now();
    await Promise.all(Array.from({ length: capacityTasks }, create));
    await heard();
    const capacity = (capacityTasks / (performance.now() - begunMs)) * 1_000;
    const perSecond = Math.min(mostPerSecond, capacity * shareOfCapacity);
    isMeasured = true;
    const [startedMs, endedBefore] = [performance.now(), ended];
    await openLoop(perSecond, create, AbortSignal.timeout(measuredMs));
    const finishedPerSecond = ((ended - endedBefore) / (performance.now() - startedMs)) * 1_000;
    await heard();
    for (const watch of watches) watch.cancel();
    for (const client of [...watching, creating]) client.close();
    yield { name: 'small imports that two nodes finish, at most', value: capacity, unit: 'tasks/s', versus: '', ratio: undefined };
    yield { name: `small imports that end beside ${watcherCount.toLocaleString('en')} watchers`, value: finishedPerSecond, unit: 'tasks/s', versus: '', ratio: undefined };
    yield { name: 'from a task\'s end until its watcher hears it, p50', value: percentile(lagsMs, 0.5), unit: 'ms', versus: '', ratio: undefined };
    yield { name: 'the same, p99', value: percentile(lagsMs, 0.99), unit: 'ms', versus: '', ratio: undefined };
  } finally {
    await source.stop();
    await cluster.stop();
  }
}

/** Resolves with a watch that has given its snapshot. */
async function openWatch(
  client: TaskServiceClient, filter: string, onMessage: (message: WatchTasksResponse) => void,
): Promise<{ readonly cancel: () => void }> {
  const watch = client.watchTasks({ filter, resumeToken: '' });
  const begun = Promise.withResolvers<void>();
  watch.on('error', (error) => { begun.reject(error); });
  watch.on('data', (message: WatchTasksResponse) => {
    if (message.message?.$case === 'snapshotEnd') begun.resolve();
    onMessage(message);
  });
  await begun.promise;
  return watch;
}
