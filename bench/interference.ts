import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateTaskResponse, GetTaskResponse } from '../src/gen/lehr/v1/task_service.ts';
import { writeLargeImage, importOnce } from './large-images.ts';
import { startLehr } from './lehr-server.ts';
import { startReady } from './processes.ts';
import { percentile, type Figure } from './report.ts';
import { answered, bytesCaller, importRequest, taskClient } from './rpc.ts';

const callers = 4;
const rounds = 3;

/** How long GetTask takes while two large imports run, beside an empty call (health) to the same server at the same time. */
export async function* benchInterference(folder: string): AsyncGenerator<Figure> {
  const sources = join(folder, 'interference-sources');
  mkdirSync(sources);
  writeLargeImage(join(sources, 'large.raw'));
  const source = await startReady(process.execPath, [join(import.meta.dirname, 'source-server.ts'), sources]);
  const lehr = await startLehr(join(folder, 'interference'));
  const client = taskClient(lehr.grpc);
  const health = bytesCaller(lehr.grpc, '/grpc.health.v1.Health/Check', new Uint8Array());
  const { task } = await answered<CreateTaskResponse>((callback) => client.createTask(importRequest(`${source.line}/none`), callback));
  const id = task?.id ?? '';
  let importing = true;
  const loop = async (call: () => Promise<unknown>): Promise<number[]> => {
    const latencies: number[] = [];
    while (importing) {
      const before = performance.now();
      await call();
      latencies.push(performance.now() - before);
    }
    return latencies;
  };
  const getTask = () => answered<GetTaskResponse>((callback) => client.getTask({ id, readToken: '' }, callback));
  const loops = Array.from({ length: callers }, () => Promise.all([loop(getTask), loop(health.call)]));
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all([importOnce(lehr, `${source.line}/large.raw`), importOnce(lehr, `${source.line}/large.raw`)]);
  }
  importing = false;
  const latencies = await Promise.all(loops);
  const get = percentile(latencies.flatMap(([own]) => own), 0.99);
  const empty = percentile(latencies.flatMap(([, other]) => other), 0.99);
  client.close();
  health.close();
  await lehr.stop();
  await source.stop();
  rmSync(sources, { recursive: true });
  yield { name: 'empty call beside two 1 GiB imports, p99', value: empty, unit: 'ms', versus: '', ratio: undefined };
  yield { name: 'GetTask beside two 1 GiB imports, p99', value: get, unit: 'ms', versus: 'the empty call', ratio: get / empty };
}
