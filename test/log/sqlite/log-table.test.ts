import test from 'ava';
import { copyFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import Sqlite, { type Database } from 'better-sqlite3';
import { LogTable } from '../../../src/log/sqlite/log-table.ts';
import { storedRecords } from '../../../src/log/sqlite/stored-records.ts';
import { TaskChain } from '../../contract/task-chain.ts';
import { temporaryFolder } from './open-log.ts';

test('the log is written ahead, and every commit waits for the disk', (t) => {
  const pragmas: Record<string, unknown> = {};
  const file = join(temporaryFolder(t), 'log.db');
  // Only the connection itself can tell: asked through the one that the table opens.
  const exec = Sqlite.prototype.exec;
  t.teardown(() => { Sqlite.prototype.exec = exec; });
  Sqlite.prototype.exec = function (this: Database, sql: string) {
    for (const name of ['journal_mode', 'synchronous']) pragmas[name] = this.pragma(name, { simple: true });
    return exec.call(this, sql);
  };
  const table = new LogTable(file);
  table.append([new TaskChain().candidate()]);
  table.close();
  t.deepEqual(pragmas, { journal_mode: 'wal', synchronous: 2 });
});

test('what was appended lies in the file when append returns, as it would after a power cut', (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, 'log.db');
  const table = new LogTable(file);
  const chain = new TaskChain();
  for (let revision = 1; revision <= 5; revision += 1) {
    const record = chain.candidate();
    table.append([record]);
    chain.advance(record);
  }
  const copy = join(folder, 'copy.db');
  for (const suffix of ['', '-wal']) if (existsSync(file + suffix)) copyFileSync(file + suffix, copy + suffix);
  const records = [...storedRecords(copy)].flat();
  t.deepEqual(records.map(({ offset }) => offset), [1n, 2n, 3n, 4n, 5n]);
  t.is(records.at(-1)?.hash, chain.head.hash);
  table.close();
});

test('a batch with a record that is none is refused as a whole, and nothing of it is stored', (t) => {
  const table = new LogTable(':memory:');
  const chain = new TaskChain();
  t.throws(() => table.append([chain.candidate(), Buffer.from('no record')]));
  t.is(table.end, 0);
  t.deepEqual(table.readAfter(0, 10), []);
  t.deepEqual(table.append([chain.candidate()]).map((record) => record?.offset), [1n]);
  table.close();
});

test('records of one batch follow one another, and only the first for a revision is taken', (t) => {
  const table = new LogTable(':memory:');
  const chain = new TaskChain();
  const first = chain.candidate();
  chain.advance(first);
  const [second, rival] = [chain.candidate(), chain.candidate()];
  const outcomes = table.append([first, second, rival]);
  t.deepEqual(outcomes.map((record) => record?.offset), [1n, 2n, undefined]);
  table.close();
});

test('the file itself refuses a revision twice', (t) => {
  const file = join(temporaryFolder(t), 'log.db');
  const table = new LogTable(file);
  table.append([new TaskChain().candidate()]);
  table.close();
  const db = new Sqlite(file);
  const columns = db.prepare<[], string>(`SELECT name FROM pragma_table_info('log')`).pluck().all().filter((name) => name !== 'position');
  t.throws(
    () => db.exec(`INSERT INTO log (position, ${columns.join(', ')}) SELECT 2, ${columns.join(', ')} FROM log`),
    { message: /UNIQUE constraint failed: log.ce_subject, log.ce_sequence/ },
  );
  db.close();
});
