import test from 'ava';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DataFolderInUseError, lockDataFolder } from '../../../src/log/sqlite/data-lock.ts';
import { temporaryFolder } from './open-log.ts';

const inUse = (folder: string, holder: string) => ({
  instanceOf: DataFolderInUseError, message: `data-dir ${folder} is in use by ${holder}. Stop it, or choose another data-dir.`,
});

test('a second lock is refused and names the folder and its holder, until the first is released', (t) => {
  const folder = join(temporaryFolder(t), 'made', 'on-the-way');
  const lock = lockDataFolder(folder, 'process 1 on red');
  t.is(statSync(folder).mode & 0o777, 0o700);
  t.throws(() => lockDataFolder(folder, 'process 2 on red'), inUse(folder, 'process 1 on red'));
  t.throws(() => lockDataFolder(folder, 'process 3 on red'), inUse(folder, 'process 1 on red'));
  lock.release();
  const next = lockDataFolder(folder, 'process 2 on red');
  t.throws(() => lockDataFolder(folder, 'process 1 on red'), inUse(folder, 'process 2 on red'));
  next.release();
});

test('a lock is held though nobody remembers it, and released by the death of its process, however sudden', async (t) => {
  const folder = temporaryFolder(t);
  const child = spawn(process.execPath, ['--expose-gc', join(import.meta.dirname, 'hold-lock.ts'), folder, 'the child'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  t.throws(() => lockDataFolder(folder, 'the test'), inUse(folder, 'the child'));
  child.kill('SIGKILL');
  await once(child, 'exit');
  lockDataFolder(folder, 'the test').release();
  t.true(existsSync(join(folder, 'lock.db')));
});

test('what is no lock file is reported as what it is, and not as a holder', (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'lock.db'), 'this is no database, whatever its name says'.repeat(50));
  t.throws(() => lockDataFolder(folder, 'the test'), { code: 'SQLITE_NOTADB' });
});
