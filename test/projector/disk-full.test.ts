import test from 'ava';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { storedRecords } from '../../src/log/sqlite/stored-records.ts';
import { ChainVerifier } from '../../src/log/verify-chain.ts';
import { openStorage } from '../../src/projector/storage.ts';
import { temporaryFolder } from '../log/sqlite/open-log.ts';

const hasPrlimit = spawnSync('prlimit', ['--version'], { stdio: 'ignore' }).status === 0;
if (!hasPrlimit) process.stderr.write('prlimit is missing; a full disk below the log is not tested. Install it with: apt-get install util-linux\n');

if (hasPrlimit) {
  test('a full disk: the projections lag, then appends are unknown; with room again all goes on and nothing is half stored', async (t) => {
    const folder = temporaryFolder(t);
    // The default of the signal that comes with the limit ends a process; ignored, writing fails as on a full disk.
    const command = ['-c', 'trap "" XFSZ; exec "$@"', 'sh', process.execPath, join(import.meta.dirname, 'fill-disk.ts'), folder];
    const child = spawn('sh', command, { stdio: ['pipe', 'pipe', 'inherit'] });
    t.teardown(() => child.kill('SIGKILL'));
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const answer = async (): Promise<unknown> => JSON.parse(String((await answers.next()).value));
    const ask = (word: string): Promise<unknown> => {
      child.stdin.write(`${word}\n`);
      return answer();
    };
    const limitFiles = (bytes: number | 'unlimited'): void => {
      t.is(spawnSync('prlimit', [`--pid=${child.pid ?? 0}`, `--fsize=${bytes}:`]).status, 0);
    };
    t.is(await answer(), 'ready');
    t.is(await ask('append'), 'accepted');

    limitFiles(2 ** 20);
    // The history holds what the log holds and more, so its file is the first that cannot grow.
    const lagging = await ask('fillUntilLagging') as { last: string; lagging: string };
    t.is(lagging.last, 'accepted');
    t.regex(lagging.lagging, /^(disk I\/O error|database or disk is full)$/);
    t.like(await ask('fillUntilRefused'), { last: 'unknown' });
    t.is(await ask('append'), 'unknown');

    limitFiles('unlimited');
    t.like(await ask('untilCaughtUp'), { lagging: undefined });
    t.is(await ask('append'), 'accepted');
    const accepted = await ask('accepted');
    child.stdin.end();
    await once(child, 'exit');

    const verifier = new ChainVerifier();
    const stored = [...storedRecords(join(folder, 'log.db'))].flat();
    t.deepEqual(stored.map((record) => verifier.check(record)).filter((fault) => fault !== undefined), []);
    t.deepEqual(stored.map(({ hash }) => hash), accepted);
    const storage = await openStorage(folder, { stageTimeoutMs: 60_000 }, (cause) => t.fail(cause.message));
    await storage.ready;
    t.is(storage.applied.position.get(0), BigInt(stored.length));
    await storage.close();
  });
}
