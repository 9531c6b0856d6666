import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import type { JobRun } from '../../src/bytes/bytes-pool.ts';
import type { StagedResult } from '../../src/bytes/staged-file.ts';
import { FailureError } from '../../src/domain/failures.ts';
import { artefactOf, type ArtefactFile } from '../../src/stages/artefact-of.ts';

const mebi = 2 ** 20;
const never = new AbortController().signal;

/** A file of 4 MiB, and a pool that hashes as far as the test says. */
function bench(t: ExecutionContext, change: Partial<ArtefactFile> = {}) {
  const folder = mkdtempSync(path.join(tmpdir(), 'lehr-artefact-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = { path: path.join(folder, 'a'), name: 'a', sizeBytes: 4 * mebi, digest: 'sha256:right', ...change };
  writeFileSync(file.path, Buffer.alloc(4 * mebi));
  const digested = Promise.withResolvers<StagedResult>();
  let run: JobRun | undefined;
  const artefact = artefactOf(file, { digest: (_, its) => { run = its; return digested.promise; } }, mebi);
  let taken = 0;
  /** Takes what comes, from an offset on. */
  const take = async (offset: number): Promise<void> => {
    for await (const chunk of artefact.chunks(offset, never)) taken += chunk.length;
  };
  /** Waits until so much has come; what has come a little later. */
  const takenAfter = async (bytes: number): Promise<number> => {
    while (taken < bytes) await setImmediate();
    for (let turn = 0; turn < 200; turn += 1) await setImmediate();
    return taken;
  };
  return {
    take, takenAfter,
    hashed: (bytes: number) => run?.progress(bytes, 4 * mebi),
    ends: (digest: string) => digested.resolve({ sizeBytes: 4 * mebi, digest }),
  };
}

test('bytes go out only so far ahead of those that are hashed', async (t) => {
  const { take, takenAfter, hashed, ends } = bench(t);
  const taking = take(0);
  t.is(await takenAfter(mebi), mebi);
  hashed(mebi);
  t.is(await takenAfter(2 * mebi), 2 * mebi);
  ends('sha256:right');
  await taking;
  t.is(await takenAfter(4 * mebi), 4 * mebi);
});

test('of what is read from its middle nothing comes before all of it is verified', async (t) => {
  const { take, takenAfter, hashed, ends } = bench(t);
  const taking = take(2 * mebi);
  hashed(3 * mebi);
  t.is(await takenAfter(0), 0);
  ends('sha256:right');
  await taking;
  t.is(await takenAfter(2 * mebi), 2 * mebi);
});

for (const [what, change, expected] of [
  ['an image', {}, { reason: 'REASON_IMAGE_CORRUPT', retryable: false }],
  ['what was converted', { isConverted: true }, { reason: 'REASON_STORE_UNAVAILABLE', retryable: true }],
] as const) {
  test(`of ${what} that is damaged no more comes, and the failure says whether another attempt may help`, async (t) => {
    const { take, ends } = bench(t, change);
    const taking = take(0);
    ends('sha256:wrong');
    const error = await t.throwsAsync(taking, { instanceOf: FailureError });
    t.like(error.failure, { ...expected, metadata: { expected: 'sha256:right', actual: 'sha256:wrong' } });
  });
}
