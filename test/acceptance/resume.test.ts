import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

import { checkpointEveryBytes } from '../../src/bytes/bounds.ts';
import { eventually } from '../cluster/harness/eventually.ts';
import { BreakingSource } from './harness/breaking-source.ts';
import { awaitEmptyStaging } from './harness/data-folder.ts';
import { rawDisk } from './harness/disk-images.ts';
import { eventsOf } from './harness/events.ts';
import { servedImages } from './harness/inventory.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { startSource } from './harness/source-server.ts';
import { awaitTask, createImport } from './harness/tasks.ts';

const mebibyte = 1024 * 1024;
const image = rawDisk(240 * mebibyte, 6);

/** What a line may hold that breaks: the buffers of both sockets, and what a server had read and not yet handed on. */
const lostAtBreakBytes = 16 * mebibyte;

/** How far the staged file of the first attempt is noted to be durable; 0: no note. */
function notedBytes({ folder }: LehrServer, id: string): number {
  const note = path.join(folder, 'store/staging', `${id}.1.synced`);
  return existsSync(note) ? (JSON.parse(readFileSync(note, 'utf8')) as { lengthBytes: number }).lengthBytes : 0;
}

function damage({ folder }: LehrServer, id: string): void {
  const file = openSync(path.join(folder, 'store/staging', `${id}.1`), 'r+');
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, 12 * mebibyte);
  writeSync(file, Buffer.from([byte[0]! ^ 1]), 0, 1, 12 * mebibyte);
  closeSync(file);
}

for (const isDamaged of [false, true]) {
  const told = isDamaged ? 'begins anew after a crash whose staged file was damaged' : 'goes on after breaks and a crash';
  test.serial(`an import over a line that breaks ${told}, and has every byte right`, async (t) => {
    t.timeout(300_000);
    const source = await startSource(t);
    const silenceAt = 180 * mebibyte;
    const line = new BreakingSource(image.bytes, '"v1"', [
      { atBytes: 30 * mebibyte, then: 'reset' }, { atBytes: 100 * mebibyte + 17, then: 'close' },
      { atBytes: silenceAt, then: 'silence' }, { atBytes: 210 * mebibyte, then: 'close' },
    ]);
    const url = source.serve('/disk', line.behaviour);
    const first = await startServer(t, await makeFolder(t));
    const { id } = await createImport(first.api, url, {}, { expectedDigest: image.digest });
    await line.silent;
    const noted = await eventually('a checkpoint', async () => notedBytes(first, id), (bytes) => bytes >= checkpointEveryBytes);
    await first.kill('SIGKILL');
    if (isDamaged) damage(first, id);

    const second = await startServer(t, first.folder);
    const task = await awaitTask(second.api, id);
    t.deepEqual({ state: task.state, digest: task.result?.digest, attempt: task.attempt }, {
      state: 'STATE_SUCCEEDED', digest: image.digest, attempt: 2,
    });
    t.deepEqual([...await servedImages(second)], [[id, image.digest]]);
    const facts = (await eventsOf(second.api, `tasks/${id}`)).flatMap(({ payload }) =>
      (payload?.$case === 'stageCompleted' && payload.value.stage === 'fetch' ? [payload.value.facts] : []));
    t.is(facts.length, 1);
    const resumedFrom = Number(facts[0]?.['resumed_from'] ?? 0);
    // The checkpoint may have moved between the look and the kill.
    if (isDamaged) t.is(resumedFrom, 0);
    else t.true(resumedFrom >= noted && resumedFrom <= silenceAt, `it went on from ${resumedFrom}, ${noted} were noted`);
    const lostAtCrash = silenceAt - resumedFrom;
    const limit = image.bytes.length + lostAtCrash + 3 * lostAtBreakBytes;
    t.true(line.sentBytes <= limit, `${line.sentBytes} bytes were sent, ${limit} may be`);
    await awaitEmptyStaging(first.folder);
    t.deepEqual(readdirSync(path.join(first.folder, 'store/images')), [`${id}.2`]);
  });
}
