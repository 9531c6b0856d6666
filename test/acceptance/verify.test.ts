import { cp, rm } from 'node:fs/promises';
import path from 'node:path';

import test from 'ava';
import Sqlite from 'better-sqlite3';
import type { Database } from 'better-sqlite3';

import { encodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import type { LogRow } from '../../src/log/sqlite/log-table.ts';
import { rawDisk } from './harness/disk-images.ts';
import { runProcess } from './harness/lehr-process.ts';
import { makeFolder, serveArgs, startServer } from './harness/lehr-server.ts';
import { gives, startSource } from './harness/source-server.ts';
import { awaitTask, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

/**
 * A log of two imports, one after the other: positions 1 to 7 are the first (created, started, fetched, inspected, stored,
 * registered, succeeded), 8 to 14 the second.
 */
const shared = new Teardowns();
const ids = { first: '', second: '' };
let original: string;

test.before(async () => {
  const source = await startSource(shared);
  original = path.join(await makeFolder(shared), 'data');
  const server = await startServer(shared, original);
  for (const name of ['first', 'second'] as const) {
    ids[name] = (await createImport(server.api, source.serve(`/${name}`, gives(rawDisk(64 * 1024, 1).bytes)))).id;
    await awaitTask(server.api, ids[name]);
  }
  await server.kill('SIGTERM');
});

test.after.always(() => shared.run());

const rowAt = (db: Database, position: number): LogRow => db.prepare<[number], LogRow>('SELECT * FROM log WHERE position = ?').get(position)!;

function swap(db: Database, a: number, b: number): void {
  const move = db.prepare('UPDATE log SET position = ? WHERE position = ?');
  for (const [to, from] of [[-1, a], [a, b], [b, -1]]) move.run(to, from);
}

/** Writes another value, as long as the one that stood there. */
function editValue(db: Database, position: number): Buffer {
  const value = Buffer.from(rowAt(db, position).value);
  value[value.length - 1]! ^= 1;
  db.prepare('UPDATE log SET value = ? WHERE position = ?').run(value, position);
  return value;
}

interface Tampering {
  readonly title: string;
  readonly tamper: (db: Database) => void;
  /** The first record that is named. */
  readonly position: string;
  readonly stream: `tasks/${'first' | 'second'}` | `images/${'first' | 'second'}`;
  readonly revision: bigint;
  readonly message: RegExp;
  /** The stream that lacks a record, where that is not the one of the named record. */
  readonly lacking?: Tampering['stream'];
  /** What a server does that starts on such a log; it refuses where the projections know better. Absent: as with another one. */
  readonly atStart?: 'found' | 'refused';
}

const tamperings: readonly Tampering[] = [
  {
    title: 'a value that was edited', atStart: 'found', tamper: (db) => void editValue(db, 3),
    position: '0-3', stream: 'tasks/first', revision: 3n, message: /was altered/,
  },
  {
    title: 'a header that was edited', tamper: (db) => void db.prepare(`UPDATE log SET ce_time = '2020-01-01T00:00:00.000Z' WHERE position = 9`).run(),
    position: '0-9', stream: 'tasks/second', revision: 2n, message: /was altered/,
  },
  {
    title: 'an owner that was edited', tamper: (db) => void db.prepare(`UPDATE log SET ce_owner = 'mallory' WHERE position = 6`).run(),
    position: '0-6', stream: 'images/first', revision: 1n, message: /was altered/,
  },
  {
    title: 'a value that was edited together with its hash', atStart: 'found',
    tamper: (db) => {
      const value = editValue(db, 11);
      const hash = hashCanonical(encodeCanonical({ headers: rowAt(db, 11), value }));
      db.prepare('UPDATE log SET hash = ? WHERE position = 11').run(hash);
    },
    position: '0-11', stream: 'tasks/second', revision: 4n, message: /was replaced/,
  },
  {
    title: 'a record that was removed from the middle', tamper: (db) => void db.prepare('DELETE FROM log WHERE position = 4').run(),
    position: '0-5', stream: 'tasks/first', revision: 5n, message: /positions 4 to 4 are missing/,
  },
  {
    title: 'a stream that was removed', atStart: 'found', tamper: (db) => void db.prepare('DELETE FROM log WHERE position = 13').run(),
    position: '0-14', stream: 'tasks/second', revision: 6n, message: /positions 13 to 13 are missing/, lacking: 'images/second',
  },
  {
    title: 'the last record, that was removed', tamper: (db) => void db.prepare('DELETE FROM log WHERE position = 14').run(),
    position: '', stream: 'tasks/second', revision: 6n, message: /the log holds only 5: records were cut off/, atStart: 'refused',
  },
  {
    title: 'two records of one stream that changed places', atStart: 'found', tamper: (db) => swap(db, 3, 4),
    position: '0-3', stream: 'tasks/first', revision: 4n, message: /revision 3 was expected here/,
  },
  {
    title: 'two records of different streams that changed places', atStart: 'found', tamper: (db) => swap(db, 7, 8),
    position: '0-7', stream: 'tasks/second', revision: 1n, message: /was at position 8: it was moved/,
  },
];

const subjectOf = (stream: Tampering['stream']): string => stream.replace(/first|second/, (name) => ids[name as keyof typeof ids]);

/** Changes a log behind its server's back. */
function change(folder: string, work: (db: Database) => void): void {
  const db = new Sqlite(path.join(folder, 'log.db'));
  try {
    db.transaction(() => work(db)).immediate();
  } finally {
    db.close();
  }
}

test('a running server finds everything that is done to its log behind its back, and names the first bad record', async (t) => {
  const folder = path.join(await makeFolder(t), 'data');
  await cp(original, folder, { recursive: true });
  const server = await startServer(t, folder);
  let rows: readonly LogRow[] = [];
  change(folder, (db) => { rows = db.prepare<[], LogRow>('SELECT * FROM log ORDER BY position').all(); });
  t.deepEqual(await server.api.verifyEvents({}), { events: 14n, streams: 4n, faults: [] });
  for (const { title, tamper, position, stream, revision, message } of tamperings) {
    change(folder, tamper);
    const { faults: [first] } = await server.api.verifyEvents({});
    t.deepEqual({ ...first, message: '' }, { position, subject: subjectOf(stream), revision, message: '' }, title);
    t.regex(first?.message ?? '', message, title);
    change(folder, (db) => {
      db.exec('DELETE FROM log');
      const columns = Object.keys(rows[0]!);
      const insert = db.prepare(`INSERT INTO log (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`);
      for (const row of rows) insert.run(row);
    });
    t.deepEqual((await server.api.verifyEvents({})).faults, [], `all is well again after ${title}`);
  }
});

for (const { title, tamper, position, stream, revision, message, lacking = stream, atStart } of tamperings) {
  if (atStart !== 'found') continue;
  test(`a server that starts on a log with ${title} finds it`, async (t) => {
    const folder = path.join(await makeFolder(t), 'data');
    await cp(original, folder, { recursive: true });
    change(folder, tamper);
    const server = await startServer(t, folder);
    const { faults: [first] } = await server.api.verifyEvents({});
    t.deepEqual({ ...first, message: '' }, { position, subject: subjectOf(stream), revision, message: '' });
    t.regex(first?.message ?? '', message);
    // Asked for one stream, only that one is judged.
    const { faults: own } = await server.api.verifyEvents({ subject: subjectOf(lacking) });
    t.true(own.length > 0 && own.every(({ subject }) => subject === subjectOf(lacking)));
    const sound = lacking.endsWith('first') ? 'images/second' : 'images/first';
    t.deepEqual(await server.api.verifyEvents({ subject: subjectOf(sound) }), { events: 1n, streams: 1n, faults: [] });
    // The command line says the same and fails.
    const ran = await runProcess(['verify', '--server', server.grpcAddress]);
    t.is(ran.code, 1);
    t.true(`${ran.stdout}${ran.stderr}`.includes(subjectOf(stream)));
    t.regex(`${ran.stdout}${ran.stderr}`, message);
  });
}

test('a server whose log was cut off at the end refuses to start and says what to do, which then works', async (t) => {
  const folder = path.join(await makeFolder(t), 'data');
  await cp(original, folder, { recursive: true });
  change(folder, tamperings.find(({ atStart }) => atStart === 'refused')!.tamper);
  const { code, stdout, stderr } = await runProcess(serveArgs(folder));
  t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  t.regex(stderr, /^lehr serve: log\.db does not hold the record that the projections were built from \(position 14\): it was cut, replaced or restored/);
  t.is(stderr.trimEnd().split('\n').length, 1, 'it is said once');
  t.regex(stderr, new RegExp(`delete the folder ${path.join(folder, 'projections')}`));
  await rm(path.join(folder, 'projections'), { recursive: true });
  const server = await startServer(t, folder);
  // The record that was cut off said that the second task had succeeded, so it ends a second time.
  t.is((await awaitTask(server.api, ids.second)).state, 'STATE_SUCCEEDED');
  t.deepEqual(await server.api.verifyEvents({}), { events: 14n, streams: 4n, faults: [] });
});
