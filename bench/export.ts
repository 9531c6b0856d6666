import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BytesPool } from '../src/bytes/bytes-pool.ts';
import { createDestinations } from '../src/destinations/create-destinations.ts';
import { probeSandbox, serviceSandbox } from '../src/sandbox/probe-sandbox.ts';
import { artefactOf } from '../src/stages/artefact-of.ts';
import { convert } from '../src/stages/convert.ts';
import { convertStored } from '../src/stages/convert-stored.ts';
import type { StageRun } from '../src/stages/stage.ts';
import { FolderStore } from '../src/stores/folder/folder-store.ts';
import { elapsed } from './elapsed.ts';
import { writeLargeImage } from './large-images.ts';
import { runShell } from './processes.ts';
import { best, type Figure } from './report.ts';

const rounds = 5;
const taskId = '00000000-0000-4000-8000-000000000001';
const run: StageRun = { taskId, attempt: 1, signal: new AbortController().signal, progress: () => undefined };

/**
 * What exporting costs: an image as it is stored beside `cp`, and a converted one beside bare qemu-img, all durable at the end. Each way
 * at its best, since rounds differ by how fast the machine finds memory for so many new pages.
 */
export async function* benchExport(folder: string): AsyncGenerator<Figure> {
  const work = resolve(folder, 'exported');
  mkdirSync(work);
  const image = join(work, 'large.raw');
  writeLargeImage(image);
  await runShell('sync');
  const pool = new BytesPool(2);
  yield* benchAsStored(work, image, pool);
  yield* benchConverted(work, image, pool);
  await pool.close();
  rmSync(work, { recursive: true });
}

async function* benchAsStored(work: string, image: string, pool: BytesPool): AsyncGenerator<Figure> {
  const idleTimeoutMs = 60_000;
  const destinations = createDestinations({ fileRoots: [work], sourceAllow: [], idleTimeoutMs, now: () => new Date(), files: pool });
  const stored = await pool.digest({ path: image, name: 'large.raw' }, run);
  const artefact = artefactOf({ path: image, name: 'large.raw', ...stored }, pool);
  const seconds: Record<'cp' | 'export', number[]> = { cp: [], export: [] };
  const target = join(work, 'target.raw');
  const ways = {
    cp: () => runShell(`cp ${image} ${target} && sync ${target}`),
    export: () => destinations.deliver({ uri: `file://${target}`, credential: '', owner: 'default' }, artefact, { ...run, ours: [] }),
  };
  for (let round = 0; round < rounds; round += 1) {
    // Whoever comes second finds memory that the machine has at hand, the first may have to wait for it.
    for (const way of round % 2 === 0 ? ['cp', 'export'] as const : ['export', 'cp'] as const) {
      seconds[way].push(await elapsed(ways[way]));
      await runShell(`rm ${target} && sync`);
    }
  }
  await destinations.close();
  const [cp, exported] = [best(seconds.cp), best(seconds.export)];
  const versus = 'cp; sync';
  yield { name: `${versus} of 1 GiB`, value: cp * 1_000, unit: 'ms', versus: '', ratio: undefined };
  const name = 'export of 1 GiB to a file, as stored, read back';
  yield { name, value: exported * 1_000, unit: 'ms', versus: `the speed of ${versus}`, ratio: cp / exported };
}

async function* benchConverted(work: string, image: string, pool: BytesPool): AsyncGenerator<Figure> {
  const sandbox = await probeSandbox(serviceSandbox('required', () => undefined));
  const store = await FolderStore.open(join(work, 'store'));
  const source = store.stagedFile(taskId, 1, 'borrowed');
  await runShell(`ln ${image} ${source.path}`);
  const limits = { maxImageBytes: 2 ** 40, maxVirtualBytes: 2n ** 46n };
  const stored = await pool.digest(source, run);
  const verdict = await pool.inspect({ ...source, declared: 'DISK_FORMAT_RAW', maxVirtualBytes: limits.maxVirtualBytes, depth: 'guest' }, run);
  if (verdict.kind === 'refused') throw new Error(verdict.failure.message);
  for (const compression of ['COMPRESSION_NONE', 'COMPRESSION_ZSTD'] as const) {
    const seconds: Record<'bare' | 'beside' | 'stage', number[]> = { bare: [], beside: [], stage: [] };
    const bare = join(work, 'bare.qcow2');
    const options = compression === 'COMPRESSION_NONE' ? '-o compat=1.1' : '-c -o compat=1.1,compression_type=zstd';
    const formats = { sourceFormat: 'DISK_FORMAT_RAW', targetFormat: 'DISK_FORMAT_QCOW2', compression } as const;
    const { virtualSizeBytes } = verdict;
    for (let round = 0; round < rounds; round += 1) {
      seconds.bare.push(await elapsed(() => runShell(`qemu-img convert -W -S 64k -f raw -O qcow2 ${options} ${image} ${bare} && sync ${bare}`)));
      await runShell(`rm ${bare} && sync`);
      const input = { from: 'borrowed', ...formats, virtualSizeBytes, maxBytes: limits.maxImageBytes } as const;
      seconds.beside.push(await elapsed(() => Promise.all([convert(run, { store, sandbox }, input), pool.digest(source, run)])));
      await store.discardPart(taskId, 1, 'converted');
      await runShell('sync');
      const stage = { image: { ...verdict, ...stored }, ...formats };
      seconds.stage.push(await elapsed(() => convertStored(run, { store, sandbox, pool, ...limits }, stage)));
      await store.discardPart(taskId, 1, 'converted');
    }
    const what = `raw to ${compression === 'COMPRESSION_NONE' ? 'qcow2' : 'zstd qcow2'}`;
    const alone = best(seconds.bare);
    const versus = 'the speed of qemu-img convert -W; sync';
    yield { name: `qemu-img convert -W; sync, ${what}`, value: alone * 1_000, unit: 'ms', versus: '', ratio: undefined };
    const measured = [
      ['conversion, its source verified beside it', seconds.beside], ['convert stage of an export, its result proven', seconds.stage],
    ] as const;
    for (const [name, times] of measured) {
      yield { name: `${name}, ${what}`, value: best(times) * 1_000, unit: 'ms', versus, ratio: alone / best(times) };
    }
  }
  await store.close();
}
