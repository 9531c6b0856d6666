import { createHash, randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { BytesPool } from '../../src/bytes/bytes-pool.ts';
import { failure, FailureError } from '../../src/domain/failures.ts';
import { earlierConversion } from '../../src/stages/earlier-conversion.ts';
import { FolderStore } from '../../src/stores/folder/folder-store.ts';

const pool = new BytesPool(1);
test.after.always(() => pool.close());

/** A pool whose digests fail so. */
const failing = (systemError: string): BytesPool => ({
  digest: () => Promise.reject(new FailureError(failure('STORE_UNAVAILABLE', 'It could not be read.', { system_error: systemError }))),
}) as Partial<BytesPool> as BytesPool;

const bytes = Buffer.from('converted');
const recorded = { sizeBytes: bytes.length, digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}` };
const file = { sizeBytes: recorded.sizeBytes, digest: recorded.digest };

for (const { what, content, using, expected } of [
  { what: 'is as it was recorded', content: bytes, using: pool, expected: { found: file, left: ['1'] } },
  { what: 'has another digest', content: Buffer.from('convertee'), using: pool, expected: { found: undefined, left: [] } },
  { what: 'has another size', content: Buffer.from('convert'), using: pool, expected: { found: undefined, left: [] } },
  { what: 'is not there', content: undefined, using: pool, expected: { found: undefined, left: [] } },
  { what: 'goes while it is read', content: bytes, using: failing('ENOENT'), expected: { found: undefined, left: [] } },
  { what: 'cannot be read now', content: bytes, using: failing('EIO'), expected: { reason: 'REASON_STORE_UNAVAILABLE', left: ['1'] } },
]) {
  test(`a conversion that ${what} ${expected.left.length > 0 ? 'stays' : 'is not gone on with'}`, async (t) => {
    const root = mkdtempSync(join(tmpdir(), 'lehr-earlier-'));
    const store = await FolderStore.open(root);
    t.teardown(async () => {
      await store.close();
      rmSync(root, { recursive: true });
    });
    const run = { taskId: randomUUID(), attempt: 2, signal: new AbortController().signal, progress: () => undefined };
    const named = store.stagedFile(run.taskId, 1, 'converted');
    if (content !== undefined) writeFileSync(named.path, content);
    const finding = earlierConversion(run, { pool: using, store }, [recorded]);
    if ('reason' in expected) t.like(await t.throwsAsync(finding), { failure: { reason: expected.reason, retryable: true } });
    else t.deepEqual(await finding, expected.found === undefined ? undefined : { ...named, ...expected.found });
    t.deepEqual(readdirSync(join(root, 'staging')), expected.left.map((attempt) => `${run.taskId}.${attempt}.converted`));
  });
}
