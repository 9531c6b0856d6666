import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ExecutionContext } from 'ava';

import { BytesPool } from '../../src/bytes/bytes-pool.ts';
import { createDestinations, type DestinationSettings } from '../../src/destinations/create-destinations.ts';
import type { Artefact, Delivered, Delivery, Destinations } from '../../src/destinations/destination.ts';
import type { FileWork } from '../../src/destinations/stored-bytes.ts';
import { FailureError } from '../../src/domain/failures.ts';
import type { Failure } from '../../src/gen/lehr/v1/failure.ts';
import { artefactOf } from '../../src/stages/artefact-of.ts';

export const taskId = '018f0000-0000-7000-8000-000000000001';
/** Content that destinations are given: data, zeros, data. */
export const content = Buffer.concat([Buffer.alloc(700_000, 'data'), Buffer.alloc(600_000), Buffer.alloc(300_000, 'more')]);

export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** One for all tests of a file, which ends it: threads take long to start. */
export const pool = new BytesPool(1);

/** Destinations over a real pool, and an artefact with `content` in a file. */
export interface Bench {
  readonly folder: string;
  readonly destinations: Destinations;
  readonly artefact: Artefact;
  /** Where the artefact lies. */
  readonly stored: string;
  /** Delivers; a failure is answered as it is. */
  deliver(uri: string, change?: Partial<Delivery>, artefact?: Artefact): Promise<Delivered | Failure>;
}

/** `afterCopy` is called with the bench's folder when a copy has been written and before it is put in place. */
export function openBench(
  t: Pick<ExecutionContext, 'teardown'>, change: Partial<DestinationSettings> = {}, afterCopy: (folder: string) => void = () => undefined,
): Bench {
  const folder = mkdtempSync(path.join(tmpdir(), 'lehr-destination-'));
  const files: FileWork = {
    async copy(job, run) {
      const copied = await pool.copy(job, run);
      afterCopy(folder);
      return copied;
    },
    digest: (job, run) => pool.digest(job, run),
  };
  const destinations = createDestinations({
    fileRoots: [folder], sourceAllow: [{ kind: 'private', port: undefined }], idleTimeoutMs: 10_000, now: () => new Date(), files, ...change,
  });
  t.teardown(async () => {
    await destinations.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const stored = path.join(folder, '.artefact');
  writeFileSync(stored, content);
  const artefact = artefactOf({ path: stored, name: 'staging/artefact', sizeBytes: content.length, digest: digestOf(content) }, pool);
  return {
    folder, destinations, artefact, stored,
    async deliver(uri, delivery = {}, given = artefact) {
      const { digest, sizeBytes } = given;
      const { signal } = new AbortController();
      const whole = { taskId, attempt: 1, ours: [{ digest, sizeBytes }], signal, progress: () => undefined, ...delivery };
      try {
        return await destinations.deliver({ uri, credential: '', owner: 'default' }, given, whole);
      } catch (error) {
        if (error instanceof FailureError) return error.failure;
        throw error;
      }
    },
  };
}
