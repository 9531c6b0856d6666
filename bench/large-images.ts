import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { CreateTaskRequest, CreateTaskResponse, GetTaskResponse } from '../src/gen/lehr/v1/task_service.ts';
import { imageClient, answered, ended, importRequest, taskClient } from './rpc.ts';
import { startLehr, type LehrServer } from './lehr-server.ts';
import { runShell, startReady } from './processes.ts';
import { median, type Figure } from './report.ts';
import { bootable } from './small-imports.ts';

const imageMiB = 1_024;
const rounds = 5;

/** One import of 1 GiB, durable at the end, beside curl; then downloads of it beside Node's own pipe. */
export async function* benchLargeImages(folder: string): AsyncGenerator<Figure> {
  const sources = join(folder, 'large-sources');
  mkdirSync(sources);
  writeLargeImage(join(sources, 'large.raw'));
  const source = await startReady(process.execPath, [join(import.meta.dirname, 'source-server.ts'), sources]);
  const uri = `${source.line}/large.raw`;
  const target = join(folder, 'curl.raw');
  const lehr = await startLehr(join(folder, 'large'));
  const rates: Record<'curl' | 'tee' | 'lehr', number[]> = { curl: [], tee: [], lehr: [] };
  let imageId = '';
  await runShell(`curl -s -o /dev/null ${uri} && sync`);
  for (let round = 0; round < rounds; round += 1) {
    rates.curl.push(await mibPerSecond(() => runShell(`curl -s -o ${target} ${uri} && sync`)));
    await runShell(`rm ${target} && sync`);
    rates.tee.push(await mibPerSecond(() => runShell(`curl -s ${uri} | tee ${target} | sha256sum && sync`)));
    await runShell(`rm ${target} && sync`);
    if (imageId !== '') await deleteImage(lehr, imageId);
    rates.lehr.push(await mibPerSecond(async () => { imageId = await importOnce(lehr, uri); }));
    await runShell('sync');
  }
  const { residentBytes, peakBytes } = lehr.memory();
  const [curl, tee, own] = [median(rates.curl), median(rates.tee), median(rates.lehr)];
  yield { name: 'curl -o file; sync', value: curl, unit: 'MiB/s', versus: '', ratio: undefined };
  yield { name: 'curl | tee file | sha256sum; sync', value: tee, unit: 'MiB/s', versus: '', ratio: undefined };
  yield { name: 'import of 1 GiB, durable', value: own, unit: 'MiB/s', versus: 'curl -o; sync', ratio: own / curl };
  yield { name: 'import of 1 GiB, durable', value: own, unit: 'MiB/s', versus: 'curl | tee | sha256sum; sync', ratio: own / tee };
  yield { name: 'resident memory after the imports', value: residentBytes / 2 ** 20, unit: 'MiB', versus: '', ratio: undefined };
  yield { name: 'resident memory, peak', value: peakBytes / 2 ** 20, unit: 'MiB', versus: '', ratio: undefined };
  yield* benchDownload(lehr, imageId, uri);
  await lehr.stop();
  await source.stop();
  rmSync(sources, { recursive: true });
}

async function* benchDownload(lehr: LehrServer, imageId: string, uri: string): AsyncGenerator<Figure> {
  const rates: Record<'node' | 'lehr', number[]> = { node: [], lehr: [] };
  for (let round = 0; round < rounds; round += 1) {
    rates.node.push(await mibPerSecond(() => runShell(`curl -s -o /dev/null ${uri}`)));
    rates.lehr.push(await mibPerSecond(() => runShell(`curl -s -o /dev/null ${lehr.http}/images/${imageId}/data`)));
  }
  const [node, own] = [median(rates.node), median(rates.lehr)];
  yield { name: "Node's file-to-socket pipe", value: node, unit: 'MiB/s', versus: '', ratio: undefined };
  yield { name: 'download of an image', value: own, unit: 'MiB/s', versus: "Node's file-to-socket pipe", ratio: own / node };
}

/** Writes 1 GiB of random bytes with a partition table. */
export function writeLargeImage(path: string): void {
  const file = openSync(path, 'w');
  const block = randomBytes(2 ** 20);
  for (let index = 0; index < imageMiB; index += 1) {
    block.writeUInt32LE(index, 1_024);
    writeSync(file, index === 0 ? bootable(Buffer.from(block)) : block);
  }
  closeSync(file);
}

/** Imports `uri` and resolves with the image's id once the task has succeeded. */
export function importOnce(lehr: LehrServer, uri: string): Promise<string> {
  return runTask(lehr, importRequest(uri));
}

/** Has a task accepted and resolves with its image's id once it has succeeded. */
export async function runTask(lehr: LehrServer, request: CreateTaskRequest): Promise<string> {
  const client = taskClient(lehr.grpc);
  try {
    return await runTaskOver(client, request);
  } finally {
    client.close();
  }
}

/** The same over a connection that there is. */
export async function runTaskOver(client: ReturnType<typeof taskClient>, request: CreateTaskRequest): Promise<string> {
  const { task } = await answered<CreateTaskResponse>((callback) => client.createTask(request, callback));
  const id = task?.id ?? '';
  await ended(client, id);
  const { task: last } = await answered<GetTaskResponse>((callback) => client.getTask({ id, readToken: '' }, callback));
  if (last?.state !== 'STATE_SUCCEEDED') throw new Error(`the task ended ${last?.state ?? ''}: ${last?.failure?.message ?? ''}`);
  return id;
}

/** Deletes an image, and waits until its bytes are gone from the disk. */
export async function deleteImage(lehr: LehrServer, id: string): Promise<void> {
  const client = imageClient(lehr.grpc);
  await answered((callback) => client.deleteImage({ id }, callback));
  client.close();
  await runShell('sync');
}

async function mibPerSecond(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return imageMiB / ((performance.now() - started) / 1_000);
}
