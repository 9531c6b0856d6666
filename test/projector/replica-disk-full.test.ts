import test from 'ava';
import { temporaryFolder } from '../log/sqlite/open-log.ts';
import { canLimit, startLimited } from './limited-process.ts';

/** What a batch that was stored answers: without the lag that would stand beside it. */
const stored = { verdicts: 'accepted accepted accepted void accepted' };
const problem = /(disk I\/O error|database or disk is full)$/;

if (canLimit('a full disk below a replica')) {
  for (const state of ['building', 'complete']) {
    test(`a full disk below a replica that is ${state}: nothing of the batch is stored, and with room it comes again`, async (t) => {
      const { ask, limitFiles, end } = await startLimited(t, 'fill-replica.ts', temporaryFolder(t), state);
      t.deepEqual(await ask('judge'), stored);
      limitFiles(2 ** 20);
      const { verdicts, isUnmoved } = await ask('fill') as { verdicts: string; isUnmoved: boolean };
      t.regex(verdicts, /^the projections could not be written: /);
      t.regex(verdicts, problem);
      t.true(isUnmoved);
      t.regex((await ask('judgeAgain') as { lagging: string }).lagging, problem);
      limitFiles('unlimited');
      t.deepEqual(await ask('judgeAgain'), stored);
      t.deepEqual(await ask('judge'), stored);
      const { records, of } = await ask('finish') as { records: number; of: number };
      t.is(records, of);
      await end();
    });
  }
}
