import test from 'ava';
import Sqlite from 'better-sqlite3';
import type { AppendChannel } from '../../../src/log/sqlite/append-channel.ts';
import { SqliteEventLog } from '../../../src/log/sqlite/sqlite-event-log.ts';
import { eventLogContract } from '../../contract/event-log.ts';
import { TaskChain } from '../../contract/task-chain.ts';
import { openSqliteLog } from './open-log.ts';

eventLogContract('the embedded log', openSqliteLog);

test('the same record again is superseded: its place is taken, by itself', async (t) => {
  const { log } = await openSqliteLog(t);
  const record = new TaskChain().candidate();
  t.deepEqual(await Promise.all([log.append(record), log.append(record)]), [{ kind: 'accepted', position: new Map([[0, 1n]]) }, { kind: 'superseded' }]);
});

test('appends that come together share few commits, and those that come meanwhile share the next', async (t) => {
  const batches: number[] = [];
  const { log } = await openSqliteLog(t, (channel) => ({
    append: (batch) => {
      batches.push(batch.length);
      return channel.append(batch);
    },
    end: () => channel.end(),
  }));
  const chains = Array.from({ length: 64 }, () => new TaskChain());
  await Promise.all(chains.map((chain) => chain.append(log)));
  // Each goes as soon as it is worth a commit; four may be on their way at once.
  t.deepEqual(batches, [16, 16, 16, 16]);
  await Promise.all(chains.map(async (chain) => {
    for (let revision = 2; revision <= 11; revision += 1) await chain.append(log);
  }));
  t.is(batches.reduce((sum, size) => sum + size, 0), 64 * 11);
  t.true(batches.length <= (64 * 11) / 8, `${batches.length} commits for ${64 * 11} records`);
});

test('each batch is one transaction of the file', async (t) => {
  const { log, storage } = await openSqliteLog(t);
  const db = new Sqlite(storage.logFile, { readonly: true });
  t.teardown(() => db.close());
  const versions = (): unknown => db.pragma('data_version', { simple: true });
  const before = versions() as number;
  await Promise.all(Array.from({ length: 64 }, () => new TaskChain().append(log)));
  t.is(versions(), before + 1);
});

test('a batch that the storage refuses is unknown, and the next goes on', async (t) => {
  let broken = true;
  const { log } = await openSqliteLog(t, (channel) => ({
    append: (batch) => (broken ? Promise.reject(new Error('disk full')) : channel.append(batch)),
    end: () => channel.end(),
  }));
  const chain = new TaskChain();
  const outcome = (await chain.append(log)).outcome;
  t.is(outcome.kind === 'unknown' && outcome.cause instanceof Error ? outcome.cause.message : '', 'disk full');
  broken = false;
  t.deepEqual((await chain.append(log)).outcome, { kind: 'accepted', position: new Map([[0, 1n]]) });
});

test('what comes when too many wait is told so at once, instead of waiting too', async (t) => {
  const { storage } = await openSqliteLog(t);
  const held = Promise.withResolvers<void>();
  const channel: AppendChannel = {
    append: async (batch) => {
      await held.promise;
      return { positions: batch.map(() => 0) };
    },
    end: () => storage.end(),
  };
  const log = new SqliteEventLog(channel, storage.logFile, 0);
  t.teardown(() => log.close());
  const record = new TaskChain().candidate();
  // 64 are on their way in four batches, 20,000 wait.
  const waiting = Array.from({ length: 20_064 }, () => log.append(record));
  const surplus = await log.append(record);
  t.is(surplus.kind === 'unknown' && surplus.cause instanceof Error ? surplus.cause.message : '', 'too many appends are waiting');
  held.resolve();
  t.deepEqual(new Set((await Promise.all(waiting)).map(({ kind }) => kind)), new Set(['superseded']));
});

test('an append whose caller has left already is not sent', async (t) => {
  const { log } = await openSqliteLog(t);
  const reason = new Error('left');
  t.deepEqual(await log.append(new TaskChain().candidate(), AbortSignal.abort(reason)), { kind: 'unknown', cause: reason });
  t.deepEqual(await log.end(), new Map());
});
