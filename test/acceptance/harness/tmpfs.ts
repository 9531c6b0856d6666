import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ExecutionContext } from 'ava';

/** Whether this user may mount file systems; where not, one line on stderr says what is not tested. */
export function mayMount(): boolean {
  const folder = mkdtempSync(path.join(tmpdir(), 'lehr-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'ignore' }).status === 0;
  if (mounted) spawnSync('umount', [folder]);
  rmSync(folder, { recursive: true });
  if (!mounted) process.stderr.write('tmpfs cannot be mounted by this user; without it no disk that is full is met\n');
  return mounted;
}

/** A file system of `sizeBytes` in a folder of its own; gone after the test. */
export function mountTmpfs(t: Pick<ExecutionContext, 'teardown'>, sizeBytes: number): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'lehr-small-'));
  const { status, stderr } = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', folder], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`mount: ${stderr}`);
  t.teardown(() => {
    // A server that was killed this moment may still hold it; a lazy unmount waits for it.
    spawnSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
