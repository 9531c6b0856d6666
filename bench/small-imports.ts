import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import type { CreateTaskResponse, WatchTasksResponse } from '../src/gen/lehr/v1/task_service.ts';
import { startLehr } from './lehr-server.ts';
import { startReady } from './processes.ts';
import type { Figure } from './report.ts';
import { answered, importRequest, taskClient } from './rpc.ts';

const imports = 6_000;
const warmUp = 1_000;
const callers = 64;
const imageBytes = 64 * 1_024;

/** Imports of 64 KiB each from a local HTTP source, from the first request to the last success. */
export async function* benchSmallImports(folder: string): AsyncGenerator<Figure> {
  const sources = join(folder, 'small-sources');
  mkdirSync(sources);
  writeFileSync(join(sources, 'small.raw'), bootable(randomBytes(imageBytes)));
  const source = await startReady(process.execPath, [join(import.meta.dirname, 'source-server.ts'), sources]);
  const lehr = await startLehr(join(folder, 'small'));
  const client = taskClient(lehr.grpc);
  const request = importRequest(`${source.line}/small.raw`);

  let succeeded = 0;
  let target = Infinity;
  let all = Promise.withResolvers<void>();
  const watch = client.watchTasks({ filter: 'state != STATE_PENDING AND state != STATE_RUNNING', resumeToken: '' });
  watch.on('error', () => undefined);
  watch.on('data', ({ message }: WatchTasksResponse) => {
    if (message?.$case !== 'change') return;
    if (message.value.state !== 'STATE_SUCCEEDED') all.reject(new Error(message.value.failure?.message));
    succeeded += 1;
    if (succeeded === target) all.resolve();
  });
  const run = async (count: number): Promise<void> => {
    all = Promise.withResolvers();
    target = succeeded + count;
    let left = count;
    await Promise.all(Array.from({ length: callers }, async () => {
      while (left-- > 0) await answered<CreateTaskResponse>((callback) => client.createTask(request, callback));
    }));
    await all.promise;
  };
  await run(warmUp);
  const started = performance.now();
  await run(imports);
  const seconds = (performance.now() - started) / 1_000;
  watch.cancel();
  client.close();
  await lehr.stop();
  await source.stop();
  yield { name: `imports of 64 KiB, end to end`, value: imports / seconds, unit: 'tasks/s', versus: '', ratio: undefined };
}

/** Random bytes with the signature of a boot sector, so that they pass for a disk. */
export function bootable(bytes: Buffer): Buffer {
  bytes.fill(0, 0, 512);
  bytes.writeUInt16LE(0xaa55, 510);
  bytes.set([0x80, 0, 2, 0, 0x83, 0, 0, 0, 1, 0, 0, 0, 100, 0, 0, 0], 446);
  return bytes;
}
