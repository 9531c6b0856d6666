import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';

const child = join(import.meta.dirname, 'fill-store.ts');

const canMount = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0;
if (!canMount) process.stderr.write('No file system can be mounted here; a full one is not tested.\n');

const ways: readonly { readonly what: string; readonly code: string; readonly bytes: RegExp; readonly script: string }[] = [
  { what: 'a file may not grow', code: 'EFBIG', bytes: /^3145728$/, script: 'ulimit -f 3072; exec "$@"' },
  ...(canMount ? [{ what: 'the file system is full', code: 'ENOSPC', bytes: /^3\d{6}$/, script: 'mount -t tmpfs -o size=3m tmpfs "$0" && exec "$@"' }] : []),
];

for (const { what, code, bytes, script } of ways) {
  test(`where ${what} the store is full, and says where and after how much`, (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'lehr-full-'));
    t.teardown(() => rmSync(folder, { recursive: true }));
    const command = ['bash', '-c', script, folder, process.execPath, child, join(folder, 'a')];
    const [program = '', ...args] = canMount ? ['unshare', '--mount', ...command] : command;
    const failure: unknown = JSON.parse(execFileSync(program, args, { encoding: 'utf8' }));
    t.like(failure, { reason: 'REASON_STORE_FULL', retryable: true, metadata: { path: 'staging/a', system_error: code } });
    t.regex((failure as { metadata: Record<string, string> }).metadata['bytes'] ?? '', bytes);
    t.deepEqual(readdirSync(folder), []);
  });
}
