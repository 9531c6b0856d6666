import test from 'ava';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite from 'better-sqlite3';
import { openStorage, type Storage } from '../../src/projector/storage.ts';
import { TaskChain } from '../contract/task-chain.ts';
import { temporaryFolder } from '../log/sqlite/open-log.ts';

const settings = { stageTimeoutMs: 60_000 };

/** Opens, appends `records` of one stream and closes again. */
async function fill(folder: string, chain: TaskChain, records: number): Promise<void> {
  const storage = await openStorage(folder, settings, () => undefined);
  for (let record = 0; record < records; record += 1) {
    const canonical = chain.candidate();
    await storage.append([canonical]);
    chain.advance(canonical);
  }
  await storage.close();
}

function withLog(folder: string, change: (db: Sqlite.Database) => void): void {
  const db = new Sqlite(join(folder, 'log.db'));
  change(db);
  db.close();
}

function removeLog(folder: string): void {
  for (const name of readdirSync(folder)) if (name.startsWith('log.db')) rmSync(join(folder, name));
}

const foreign: Readonly<Record<string, (folder: string) => Promise<void> | void>> = {
  'was cut short': (folder) => { withLog(folder, (db) => db.exec('DELETE FROM log WHERE position > 3')); },
  'was emptied': (folder) => { withLog(folder, (db) => db.exec('DELETE FROM log')); },
  'is gone': removeLog,
  'is another one': async (folder) => {
    removeLog(folder);
    const other = join(folder, 'other');
    mkdirSync(other);
    await fill(other, new TaskChain(), 9);
    withLog(other, (db) => db.exec(`VACUUM INTO '${join(folder, 'log.db')}'`));
  },
  'has another last record': (folder) => { withLog(folder, (db) => db.exec(`UPDATE log SET hash = replace(hash, substr(hash, 1, 1), 'z') WHERE position = 5`)); },
};

for (const [what, change] of Object.entries(foreign)) {
  test(`a log that ${what} is refused, with the remedy, and accepted after it`, async (t) => {
    const folder = temporaryFolder(t);
    await fill(folder, new TaskChain(), 5);
    await change(folder);
    const deaths: Error[] = [];
    const storage = await openStorage(folder, settings, (cause) => deaths.push(cause));
    const remedy = new RegExp(`^log.db does not hold the record .* \\(position 5\\).* delete the folder ${join(folder, 'projections')}`);
    // An error that comes from a thread is none of this one's own.
    await t.throwsAsync(storage.ready, { any: true, message: remedy });
    t.is(deaths.length, 1);
    rmSync(join(folder, 'projections'), { recursive: true });
    const again = await openStorage(folder, settings, (cause) => deaths.push(cause));
    await t.notThrowsAsync(again.ready);
    await again.close();
    t.is(deaths.length, 1);
  });
}

test('what a crash left of projections that were being built is built anew', async (t) => {
  const folder = temporaryFolder(t);
  await fill(folder, new TaskChain(), 5);
  const projections = join(folder, 'projections');
  const [name = ''] = readdirSync(projections).filter((entry) => entry.endsWith('.db'));
  for (const entry of readdirSync(projections)) rmSync(join(projections, entry));
  new Sqlite(join(projections, `${name}.building`)).exec('CREATE TABLE tasks (half TEXT)').close();
  const deaths: Error[] = [];
  const storage = await openStorage(folder, settings, (cause) => deaths.push(cause));
  await t.notThrowsAsync(storage.ready);
  t.deepEqual([...storage.applied.position], [[0, 5n]]);
  t.false(readdirSync(projections).some((entry) => entry.includes('building')));
  await storage.close();
  t.deepEqual(deaths, []);
});

test('closing is no death, and nothing can be asked afterwards', async (t) => {
  const deaths: Error[] = [];
  const storages: Storage[] = [];
  for (let count = 0; count < 8; count += 1) storages.push(await openStorage(temporaryFolder(t), settings, (cause) => deaths.push(cause)));
  await Promise.all(storages.map((storage) => storage.close()));
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(deaths, []);
  for (const storage of storages) {
    await t.throwsAsync(storage.end(), { message: /closed|ended/ });
    await t.notThrowsAsync(storage.close());
  }
});
