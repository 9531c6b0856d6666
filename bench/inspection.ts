import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BytesPool } from '../src/bytes/bytes-pool.ts';
import { openStoredFile } from '../src/bytes/jobs/stored-file.ts';
import { inspect } from '../src/formats/inspect.ts';
import type { Verdict } from '../src/formats/verdict.ts';
import { probeSandbox, serviceSandbox } from '../src/sandbox/probe-sandbox.ts';
import { convert } from '../src/stages/convert.ts';
import type { StageRun } from '../src/stages/stage.ts';
import { FolderStore } from '../src/stores/folder/folder-store.ts';
import { elapsed } from './elapsed.ts';
import { deleteImage, importOnce, writeLargeImage } from './large-images.ts';
import { startLehr } from './lehr-server.ts';
import { runShell, startReady } from './processes.ts';
import { median, type Figure } from './report.ts';

const imageMiB = 1_024;
const rounds = 5;
const limits = { maxVirtualBytes: 2n ** 46n };

/** What inspecting costs: an import of a qcow2 beside one of a raw disk, tables, and a guest's digest. */
export async function* benchInspection(folder: string): AsyncGenerator<Figure> {
  const sources = join(folder, 'inspected');
  mkdirSync(sources);
  const at = (name: string): string => join(sources, name);
  writeLargeImage(at('large.raw'));
  await runShell(`qemu-img convert -f raw -O qcow2 ${at('large.raw')} ${at('large.qcow2')} && sync`);
  yield* benchImports(folder, sources);
  yield* benchReading(at);
  rmSync(sources, { recursive: true });
}

async function* benchImports(folder: string, sources: string): AsyncGenerator<Figure> {
  const source = await startReady(process.execPath, [join(import.meta.dirname, 'source-server.ts'), sources]);
  const lehr = await startLehr(join(folder, 'inspecting'));
  const rates: Record<'raw' | 'qcow2', number[]> = { raw: [], qcow2: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const format of ['raw', 'qcow2'] as const) {
      const started = performance.now();
      const id = await importOnce(lehr, `${source.line}/large.${format}`);
      rates[format].push(imageMiB / ((performance.now() - started) / 1_000));
      await deleteImage(lehr, id);
    }
  }
  await lehr.stop();
  await source.stop();
  const [raw, qcow2] = [median(rates.raw), median(rates.qcow2)];
  yield { name: 'import of a raw disk of 1 GiB', value: raw, unit: 'MiB/s', versus: '', ratio: undefined };
  yield { name: 'import of a qcow2 of 1 GiB, all tables', value: qcow2, unit: 'MiB/s', versus: 'the raw disk', ratio: qcow2 / raw };
}

async function* benchReading(at: (name: string) => string): AsyncGenerator<Figure> {
  const tables = await repeated(() => judge(at('large.qcow2'), 'tables'));
  yield { name: 'tables of a qcow2 of 1 GiB', value: tables, unit: 'ms', versus: '', ratio: undefined };
  const disk = openSync(at('sparse.raw'), 'w');
  writeSync(disk, Buffer.from([0x55, 0xaa]), 0, 2, 510);
  writeSync(disk, Buffer.alloc(1), 0, 1, 10 * 2 ** 30 - 1);
  closeSync(disk);
  // A tenth of the disk is data, in pieces of 64 MiB all over it.
  await runShell(`for i in $(seq 0 15); do dd if=${at('large.raw')} of=${at('sparse.raw')} bs=1M count=64 skip=$((i * 64)) seek=$((i * 640)) conv=notrunc status=none; done`);
  await runShell(`qemu-img convert -f raw -O qcow2 ${at('sparse.raw')} ${at('sparse.qcow2')}`);
  const digest = await repeated(() => judge(at('sparse.qcow2'), 'guest'));
  const openssl = await repeated(() => runShell(`openssl dgst -sha256 ${at('large.raw')}`));
  yield { name: 'openssl dgst -sha256 of 1 GiB', value: openssl, unit: 'ms', versus: '', ratio: undefined };
  yield { name: 'guest digest of 10 GiB with 1 GiB of data', value: digest, unit: 'ms', versus: 'openssl dgst -sha256', ratio: digest / openssl };
}

/** 600 MB of zlib qcow2 to raw by the convert stage, beside bare qemu-img; then the proof that the disk stayed the same. */
export async function* benchConversion(folder: string): AsyncGenerator<Figure> {
  const sources = resolve(folder, 'converted');
  mkdirSync(sources);
  const at = (name: string): string => join(sources, name);
  writeLargeImage(at('large.raw'));
  // Zeros first, since what is text alone is no disk.
  // Hexadecimal digits are bytes of which half is redundant: zlib has something to do, and writes about 600 MB.
  await runShell(`(head -c 64K /dev/zero; head -c 560M ${at('large.raw')} | xxd -p -c 512) > ${at('text.raw')} && truncate -s %512 ${at('text.raw')}`);
  const store = await FolderStore.open(at('store'));
  const run: StageRun = { taskId: '00000000-0000-4000-8000-000000000001', attempt: 1, signal: new AbortController().signal, progress: () => undefined };
  const source = store.stagedFile(run.taskId, run.attempt, 'fetched');
  await runShell(`qemu-img convert -c -f raw -O qcow2 ${at('text.raw')} ${source.path} && rm ${at('text.raw')} && sync`);
  const original = judge(source.path, 'guest');
  const pool = new BytesPool(2);
  const sandbox = await probeSandbox(serviceSandbox('required', () => undefined));
  const target = at('bare.raw');
  const seconds: Record<'bare' | 'stage' | 'openssl' | 'proof', number[]> = { bare: [], stage: [], openssl: [], proof: [] };
  for (let round = 0; round < rounds; round += 1) {
    await runShell('sync');
    seconds.bare.push(await elapsed(() => runShell(`qemu-img convert -W -f qcow2 -O raw ${source.path} ${target} && sync ${target}`)));
    seconds.openssl.push(await elapsed(() => runShell(`openssl dgst -sha256 ${target}`)));
    await runShell(`rm ${target} && sync`);
    seconds.stage.push(await elapsed(() => convert(run, { store, sandbox }, {
      from: 'fetched', sourceFormat: 'DISK_FORMAT_QCOW2', targetFormat: 'DISK_FORMAT_RAW', virtualSizeBytes: original.virtualSizeBytes, maxBytes: 2 ** 40,
    })));
    const { path, name } = store.stagedFile(run.taskId, run.attempt, 'converted');
    seconds.proof.push(await elapsed(async () => {
      const made = await pool.inspect({ path, name, declared: 'DISK_FORMAT_RAW', ...limits, depth: 'guest' }, run);
      if (made.kind === 'refused' || made.guestDigest !== original.guestDigest) throw new Error('The conversion made another disk.');
    }));
    await store.discardPart(run.taskId, run.attempt, 'converted');
  }
  await pool.close();
  await store.close();
  rmSync(sources, { recursive: true });
  const [bare, stage, openssl, proof] = [median(seconds.bare), median(seconds.stage), median(seconds.openssl), median(seconds.proof)];
  const versus = 'qemu-img convert -W; sync';
  yield { name: versus, value: bare * 1_000, unit: 'ms', versus: '', ratio: undefined };
  yield { name: 'convert stage, zlib qcow2 to raw', value: stage * 1_000, unit: 'ms', versus: `the speed of ${versus}`, ratio: bare / stage };
  yield { name: 'proof that the disk stayed the same', value: proof * 1_000, unit: 'ms', versus: 'the speed of openssl dgst -sha256', ratio: openssl / proof };
}

function judge(path: string, depth: 'tables' | 'guest'): Extract<Verdict, { kind: 'accepted' }> {
  const file = openStoredFile(path, path);
  try {
    const verdict = inspect(file, 'DISK_FORMAT_QCOW2', limits, depth);
    if (verdict.kind === 'refused') throw new Error(verdict.failure.message);
    return verdict;
  } finally {
    file.close();
  }
}

/** The median time of a few runs, in milliseconds. */
async function repeated(work: () => unknown): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(await elapsed(work));
  return median(times) * 1_000;
}
