import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateTaskResponse, GetTaskResponse } from '../src/gen/lehr/v1/task_service.ts';
import { deleteImage, importOnce, writeLargeImage } from './large-images.ts';
import { startLehr, type LehrServer } from './lehr-server.ts';
import { runShell, startReady } from './processes.ts';
import { median, type Figure } from './report.ts';
import { answered, importRequest, taskClient } from './rpc.ts';

const slowLines = 100;
const rounds = 5;

/** One import of 1 GiB alone, and beside a hundred whose sources send 10 KB a second. */
export async function* benchSlowLines(folder: string): AsyncGenerator<Figure> {
  const sources = join(folder, 'slow-sources');
  mkdirSync(sources);
  writeLargeImage(join(sources, 'large.raw'));
  const source = await startReady(process.execPath, [join(import.meta.dirname, 'source-server.ts'), sources]);
  const lehr = await startLehr(join(folder, 'slow-lines'));
  await importSeconds(lehr, `${source.line}/large.raw`);
  const alone = await importSeconds(lehr, `${source.line}/large.raw`);
  await beginSlowImports(lehr, `${source.line}/slow/large.raw`);
  const beside = await importSeconds(lehr, `${source.line}/large.raw`);
  await lehr.stop();
  await source.stop();
  rmSync(sources, { recursive: true });
  yield { name: 'import of 1 GiB alone', value: alone, unit: 's', versus: '', ratio: undefined };
  yield { name: `the same beside ${slowLines} sources at 10 KB/s`, value: beside, unit: 's', versus: 'alone', ratio: beside / alone };
}

async function importSeconds(lehr: LehrServer, uri: string): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const started = performance.now();
    const id = await importOnce(lehr, uri);
    seconds.push((performance.now() - started) / 1_000);
    await deleteImage(lehr, id);
    await runShell('sync');
  }
  return median(seconds);
}

/** Resolves when all of them run. */
async function beginSlowImports(lehr: LehrServer, uri: string): Promise<void> {
  const client = taskClient(lehr.grpc);
  for (let line = 0; line < slowLines; line += 1) {
    const { task } = await answered<CreateTaskResponse>((callback) => client.createTask(importRequest(uri), callback));
    const id = task?.id ?? '';
    for (let state = ''; state !== 'STATE_RUNNING';) {
      state = (await answered<GetTaskResponse>((callback) => client.getTask({ id, readToken: '' }, callback))).task?.state ?? '';
    }
  }
  client.close();
}
