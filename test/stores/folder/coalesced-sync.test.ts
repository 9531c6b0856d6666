import test from 'ava';
import { CoalescedSync } from '../../../src/stores/folder/coalesced-sync.ts';

function controlled(): { readonly sync: CoalescedSync; readonly runs: PromiseWithResolvers<void>[] } {
  const runs: PromiseWithResolvers<void>[] = [];
  const sync = new CoalescedSync(() => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  });
  return { sync, runs };
}

test('all who ask while one run is under way share the next', async (t) => {
  const { sync, runs } = controlled();
  const first = sync.sync();
  const others = [sync.sync(), sync.sync(), sync.sync()];
  t.is(runs.length, 1);
  runs[0]!.resolve();
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  t.is(runs.length, 2);
  const later = sync.sync();
  runs[1]!.resolve();
  await Promise.all(others);
  await new Promise((resolve) => setImmediate(resolve));
  t.is(runs.length, 3);
  runs[2]!.resolve();
  await later;
});

test('a failed run fails those it was for, and the next still runs', async (t) => {
  const { sync, runs } = controlled();
  const first = sync.sync();
  const second = sync.sync();
  runs[0]!.reject(new Error('EIO'));
  await t.throwsAsync(first, { message: 'EIO' });
  await new Promise((resolve) => setImmediate(resolve));
  runs[1]!.resolve();
  await t.notThrowsAsync(second);
});
