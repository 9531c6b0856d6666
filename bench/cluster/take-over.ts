import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { CancelTaskResponse, CreateTaskResponse } from '../../src/gen/lehr/v1/task_service.ts';
import type { LehrServer } from '../lehr-server.ts';
import { median, type Figure } from '../report.ts';
import { answered, ended, importRequest, taskClient } from '../rpc.ts';
import { awaitAttempt } from './await-attempt.ts';
import { startBenchCluster } from './bench-cluster.ts';
import { startEndlessSource } from './endless-source.ts';

const rounds = 5;
const names = ['node-1', 'node-2'];

/** Nodes have heard each other after so long; the rest is chance, since they beat every 2 s. */
const acquaintedMs = 3_000;
const chanceMs = 2_000;

/** From `kill -9` of the node that works on a task until another one has begun its attempt, as that one tells. */
export async function* benchTakeOver(folder: string): AsyncGenerator<Figure> {
  const cluster = await startBenchCluster(join(folder, 'take-over'));
  const source = await startEndlessSource();
  try {
    const nodes = new Map<string, LehrServer>();
    for (const name of names) nodes.set(name, await cluster.startNode(name));
    const nodeOf = (name: string): LehrServer => nodes.get(name) ?? fail(`no ${name}`);
    const seconds: number[] = [];
    for (let round = 0; round < rounds; round += 1) {
      const id = await createImport(nodeOf('node-1'), source.url);
      const { incarnation } = await awaitAttempt(nodeOf('node-1').grpc, id, 1);
      const victim = names.find((name) => incarnation.startsWith(nodeIdIn(cluster.dataDir(name)))) ?? fail('nobody runs it');
      const other = nodeOf(names.find((name) => name !== victim) ?? '');
      const taken = awaitAttempt(other.grpc, id, 2);
      await wait(acquaintedMs + Math.random() * chanceMs);
      const started = performance.now();
      nodeOf(victim).child.kill('SIGKILL');
      await taken;
      seconds.push((performance.now() - started) / 1_000);
      await cancel(other, id);
      nodes.set(victim, await cluster.startNode(victim));
    }
    yield { name: 'take-over after kill -9 of a node, median', value: median(seconds), unit: 's', versus: '', ratio: undefined };
    yield { name: `take-over after kill -9, longest of ${rounds}`, value: Math.max(...seconds), unit: 's', versus: '', ratio: undefined };
  } finally {
    source.stop();
    await cluster.stop();
  }
}

async function createImport(node: LehrServer, uri: string): Promise<string> {
  const client = taskClient(node.grpc);
  const { task } = await answered<CreateTaskResponse>((callback) => client.createTask(importRequest(uri), callback));
  client.close();
  return task?.id ?? fail('no task');
}

async function cancel(node: LehrServer, id: string): Promise<void> {
  const client = taskClient(node.grpc);
  await answered<CancelTaskResponse>((callback) => client.cancelTask({ id }, callback));
  await ended(client, id);
  client.close();
}

function nodeIdIn(dataDir: string): string {
  return (JSON.parse(readFileSync(join(dataDir, 'node.json'), 'utf8')) as { node: string }).node;
}

function fail(problem: string): never {
  throw new Error(problem);
}
