import test from 'ava';
import { join } from 'node:path';
import { storedRecords } from '../../src/log/sqlite/stored-records.ts';
import { ChainVerifier } from '../../src/log/verify-chain.ts';
import { openStorage } from '../../src/projector/storage.ts';
import { temporaryFolder } from '../log/sqlite/open-log.ts';
import { canLimit, startLimited } from './limited-process.ts';

if (canLimit('a full disk below the log')) {
  test('a full disk: the projections lag, then appends are unknown; with room again all goes on and nothing is half stored', async (t) => {
    const folder = temporaryFolder(t);
    const { ask, limitFiles, end } = await startLimited(t, 'fill-disk.ts', folder);
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
    await end();

    const verifier = new ChainVerifier();
    const stored = [...storedRecords(join(folder, 'log.db'))].flat();
    t.deepEqual(stored.map((record) => verifier.check(record)).filter((fault) => fault !== undefined), []);
    t.deepEqual(stored.map(({ hash }) => hash), accepted);
    const storage = await openStorage(folder, { stageTimeoutMs: 60_000 }, (cause) => { throw cause; });
    await storage.ready;
    t.is(storage.applied.position.get(0), BigInt(stored.length));
    await storage.close();
  });
}
