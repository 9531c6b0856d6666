import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { taskIdOfRequest } from '../../src/api/task-ids.ts';
import type { CreateTaskResponse, GetTaskResponse } from '../../src/gen/lehr/v1/task_service.ts';
import { partitionOf } from '../../src/log/kafka/partition-of.ts';
import type { Figure } from '../report.ts';
import { answered, importRequest, taskClient } from '../rpc.ts';
import { Accepts } from './accepts.ts';
import { benchTopic, startBenchCluster, type BenchCluster } from './bench-cluster.ts';
import { openLoop } from './open-loop.ts';
import { partitionLeaders } from './partition-leaders.ts';

const rounds = 3;
const partitions = 12;
const perSecond = 200;

/** Load before the kill, and after all partitions go on. */
const calmMs = 5_000;

/** Accepts that do not go on for so long have failed. */
const patienceMs = 60_000;

/** With about 16 accepts a second and partition a pause of a second is no chance. */
const pauseMs = 1_000;

/** Three brokers, one of which is killed under load: for how long partitions accept nothing, and whether what was acknowledged is there. */
export async function* benchLeaderKill(folder: string): AsyncGenerator<Figure> {
  const cluster = await startBenchCluster(join(folder, 'leader-kill'), 3);
  const node = await cluster.startNode('node-1', { workers: '0' });
  const client = taskClient(node.grpc);
  const accepts = new Accepts(partitions);
  const acknowledged: string[] = [];
  let unknown = 0;
  const create = async (): Promise<void> => {
    const requestId = randomUUID();
    try {
      await answered<CreateTaskResponse>((callback) => client.createTask({ ...importRequest('http://127.0.0.1:9/disk.qcow2'), requestId }, callback));
      const id = taskIdOfRequest('default', requestId);
      acknowledged.push(id);
      accepts.add(partitionOf(`tasks/${id}`, partitions));
    } catch {
      unknown += 1;
    }
  };
  const ending = new AbortController();
  const load = openLoop(perSecond, create, ending.signal);
  try {
    const kills = [];
    for (let round = 0; round < rounds; round += 1) kills.push(await killLeader(cluster, accepts));
    ending.abort();
    await load;
    const lost = await countMissing(cluster, acknowledged);
    if (lost > 0) throw new Error(`${lost} of ${acknowledged.length} acknowledged tasks are lost`);
    yield { name: `kill of a leader: longest pause of a partition, ${rounds} rounds`, value: Math.max(...kills.map(({ longest }) => longest)), unit: 's', versus: '', ratio: undefined };
    yield { name: 'kill of a leader: until all accept again, longest', value: Math.max(...kills.map(({ allGoOn }) => allGoOn)), unit: 's', versus: '', ratio: undefined };
    yield { name: 'acknowledged tasks, none of them lost', value: acknowledged.length, unit: 'tasks', versus: '', ratio: undefined };
    yield { name: 'calls whose outcome the caller was not told', value: unknown, unit: 'calls', versus: '', ratio: undefined };
  } finally {
    ending.abort();
    client.close();
    await cluster.stop();
  }
}

/** Kills the broker that leads most partitions, waits until all accept again, and starts it. Times in seconds. */
async function killLeader({ kafka }: BenchCluster, accepts: Accepts): Promise<{ readonly longest: number; readonly allGoOn: number }> {
  await wait(calmMs);
  const leaders = [...(await partitionLeaders(kafka.brokers, benchTopic)).values()];
  const led = kafka.nodes.map((_, index) => leaders.filter((leader) => leader === index).length);
  const victim = kafka.nodes[led.indexOf(Math.max(...led))];
  const killedMs = performance.now();
  await victim?.kill();
  // An answer that was under way does not count: one that comes later than what a broker needs does.
  while (!accepts.haveAllSince(killedMs + pauseMs)) {
    if (performance.now() - killedMs > patienceMs) throw new Error('not all partitions accept again');
    await wait(50);
  }
  await wait(calmMs);
  const { longestMs, allGoOnMs } = accepts.pauses(killedMs, performance.now(), pauseMs);
  await victim?.start();
  await wait(calmMs);
  return { longest: longestMs / 1_000, allGoOn: (allGoOnMs - killedMs) / 1_000 };
}

/** How many of the tasks a fresh node, which reads the whole topic, does not find. */
async function countMissing(cluster: BenchCluster, ids: readonly string[]): Promise<number> {
  const fresh = await cluster.startNode('fresh', { workers: '0' });
  const client = taskClient(fresh.grpc);
  let missing = 0;
  for (const id of ids) {
    const found = await answered<GetTaskResponse>((callback) => client.getTask({ id, readToken: '' }, callback)).catch(() => undefined);
    if (found?.task?.id !== id) missing += 1;
  }
  client.close();
  await fresh.stop();
  return missing;
}
