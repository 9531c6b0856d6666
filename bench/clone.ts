import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { CreateTaskRequest } from '../src/gen/lehr/v1/task_service.ts';
import { deleteImage, importOnce, runTask, runTaskOver, writeLargeImage } from './large-images.ts';
import { startLehr } from './lehr-server.ts';
import { runShell, startReady } from './processes.ts';
import { median, percentile, type Figure } from './report.ts';
import { taskClient } from './rpc.ts';

const imageMiB = 1_024;
const rounds = 5;
/** Clones within a region; the first ones warm the server up and are not counted. */
const nearRounds = 60;
const warmRounds = 10;

/** Clones of 1 GiB: within a region, to the end of the task, and from another region on this machine, beside curl. */
export async function* benchClone(folder: string): AsyncGenerator<Figure> {
  const sources = join(folder, 'cloned');
  mkdirSync(sources);
  writeLargeImage(join(sources, 'large.raw'));
  const source = await startReady(process.execPath, [join(import.meta.dirname, 'source-server.ts'), sources]);
  const dfw = await startLehr(join(folder, 'dfw'));
  const imageId = await importOnce(dfw, `${source.line}/large.raw`);
  await source.stop();
  rmSync(sources, { recursive: true });
  const times: number[] = [];
  const client = taskClient(dfw.grpc);
  for (let round = 0; round < nearRounds; round += 1) {
    const started = performance.now();
    await runTaskOver(client, cloneRequest('', imageId));
    if (round >= warmRounds) times.push(performance.now() - started);
  }
  client.close();
  yield { name: 'clone of 1 GiB in a region, to its end', value: median(times), unit: 'ms', versus: '', ratio: undefined };
  yield { name: 'its p99', value: percentile(times, 0.99), unit: 'ms', versus: '', ratio: undefined };

  const ord = await startLehr(join(folder, 'ord'), { regions: `dfw=${dfw.http}` });
  const target = join(folder, 'curl.raw');
  const rates: Record<'curl' | 'lehr', number[]> = { curl: [], lehr: [] };
  for (let round = 0; round < rounds; round += 1) {
    rates.curl.push(await mbPerSecond(() => runShell(`curl -s -o ${target} ${dfw.http}/images/${imageId}/data && sync`)));
    await runShell(`rm ${target} && sync`);
    let clone = '';
    rates.lehr.push(await mbPerSecond(async () => { clone = await runTask(ord, cloneRequest('dfw', imageId)); }));
    await deleteImage(ord, clone);
  }
  await ord.stop();
  await dfw.stop();
  const [curl, own] = [median(rates.curl), median(rates.lehr)];
  const versus = 'curl -o; sync of the same download';
  yield { name: versus, value: curl, unit: 'MB/s', versus: '', ratio: undefined };
  yield { name: 'clone of 1 GiB from another region, durable', value: own, unit: 'MB/s', versus, ratio: own / curl };
}

function cloneRequest(sourceRegion: string, imageId: string): CreateTaskRequest {
  return {
    spec: { kind: { $case: 'cloneImage', value: { sourceRegion, imageId, image: undefined } } },
    labels: {}, requestId: '', ttl: undefined, validateOnly: false,
  };
}

async function mbPerSecond(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return (imageMiB * 2 ** 20) / 1e6 / ((performance.now() - started) / 1_000);
}
