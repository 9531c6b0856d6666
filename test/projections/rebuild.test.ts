import test from 'ava';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { projections } from '../../projections/all.ts';
import { AcceptedRecord } from '../../src/log/accepted-record.ts';
import { decodeCanonical, encodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import {
  buildProjections, openProjections, openProjectionsForReading, projectionsFileName, removeOldProjections,
} from '../../src/projector/open-projections.ts';
import type { Projection } from '../../src/projector/projection.ts';
import { Projector } from '../../src/projector/projector.ts';
import { tableDigests } from '../simulation/table-digests.ts';
import { generatedLog } from './generated-log.ts';
import { applyInBatches, projected, settings } from './project.ts';

const log = generatedLog(3_000);
const expected = tableDigests(projected(log).db);

function folderOf(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-projections-'));
  t.teardown(() => { rmSync(folder, { recursive: true }); });
  return folder;
}

test('the generated log fills every table', (t) => {
  t.deepEqual(Object.keys(expected), ['applied_places', 'heads', 'history', 'images', 'tasks', 'timers']);
  const { db } = projected(log);
  for (const table of Object.keys(expected)) t.true(db.prepare<[], number>(`SELECT count(*) FROM ${table}`).pluck().get()! > 0, table);
});

for (const size of [1, 7, 1_000, Infinity]) {
  test(`batches of ${size} make the same rows`, (t) => {
    t.deepEqual(tableDigests(projected(log, size).db), expected);
  });
}

test('what was applied before is passed over, in whatever pieces it comes again', (t) => {
  const { db, projector } = projected(log.slice(0, 1_000), 100);
  const before = tableDigests(db);
  projector.apply(log.slice(0, 1_000));
  projector.apply(log.slice(950, 1_000));
  projector.apply([]);
  t.deepEqual(tableDigests(db), before);
  projector.apply(log.slice(500));
  t.deepEqual(tableDigests(db), expected);
});

test('a projector that starts anew over the same tables goes on where the last one was', (t) => {
  const { db } = projected();
  for (let at = 0; at < log.length; at += 700) applyInBatches(new Projector(db, projections, settings), log.slice(0, at + 700), 50);
  t.deepEqual(tableDigests(db), expected);
});

test('a batch that fails leaves nothing behind, and comes again', (t) => {
  let broken = true;
  const breaks: Projection = {
    name: 'breaks', version: 1, schema: 'CREATE TABLE breaks (x, y)',
    prepare: () => () => {
      if (broken) throw new Error('disk full');
    },
  };
  const all = [...projections, breaks];
  const db = openProjections(':memory:', all);
  const projector = new Projector(db, all, settings);
  t.throws(() => { projector.apply(log.slice(0, 100)); }, { message: 'disk full' });
  t.is(db.prepare('SELECT count(*) FROM history').pluck().get(), 0);
  broken = false;
  applyInBatches(projector, log, 100);
  const { breaks: _, ...digests } = tableDigests(db);
  t.deepEqual(digests, expected);
});

test('deleted files are built again with the same rows, at once or beside', (t) => {
  const folder = folderOf(t);
  const first = openProjections(folder, projections);
  new Projector(first, projections, settings).apply(log);
  t.deepEqual(tableDigests(first), expected);
  first.close();
  for (const name of readdirSync(folder)) rmSync(join(folder, name));

  buildProjections(folder, projections, (db) => { applyInBatches(new Projector(db, projections, settings), log, 500); });
  const built = openProjectionsForReading(folder, projections);
  t.deepEqual(tableDigests(built), expected);
  t.throws(() => built.exec('DELETE FROM tasks'), { message: /readonly/ });
  built.close();
  buildProjections(folder, projections, () => t.fail('it is there already'));
});

test('a new version is built beside the old one, which goes only when it is told to', (t) => {
  const folder = folderOf(t);
  const [first, ...rest] = projections;
  const newer = [{ ...first!, version: first!.version + 1 }, ...rest];
  const old = openProjections(folder, projections);
  new Projector(old, projections, settings).apply(log);
  const fresh = openProjections(folder, newer);
  const projector = new Projector(fresh, newer, settings);
  t.deepEqual([...projector.places], []);
  projector.apply(log);
  t.deepEqual(tableDigests(fresh), expected);
  t.deepEqual(tableDigests(old), expected);
  old.close();
  const names = [projectionsFileName(projections), projectionsFileName(newer)];
  t.deepEqual(readdirSync(folder).filter((name) => name.endsWith('.db')).toSorted(), names.toSorted());
  // What a crash left of the old ones while they were being built.
  writeFileSync(join(folder, `${projectionsFileName(projections)}.building`), '');
  removeOldProjections(folder, newer);
  t.deepEqual(readdirSync(folder).filter((name) => !name.startsWith(projectionsFileName(newer))), []);
  t.deepEqual(tableDigests(fresh), expected);
  fresh.close();
});

test('events of a type that this version does not know are skipped and counted, and their streams go on', (t) => {
  const known = log.slice(0, 40);
  const subject = decodeCanonical(known[0]!.canonical).headers.ce_subject;
  const unknown = unknownAfter(known, subject, 'lehr.v9.TaskPraised', 41);
  const stranger = unknownAfter([], 'planets/earth', 'lehr.v9.PlanetFound', 42);
  const { db, projector } = projected([...known, unknown, stranger], 10);
  t.is(projector.unknownTypes, 2);
  const without = projected(known).db;
  for (const table of ['images', 'timers']) t.is(tableDigests(db)[table], tableDigests(without)[table]);
  const tasks = 'SELECT id, task FROM tasks ORDER BY id';
  t.deepEqual(db.prepare(tasks).all(), without.prepare(tasks).all());
  t.deepEqual(db.prepare('SELECT subject, hash FROM heads WHERE subject IN (?, ?) ORDER BY subject').all(subject, 'planets/earth'), [
    { subject: 'planets/earth', hash: stranger.hash }, { subject, hash: unknown.hash },
  ]);
  t.is(db.prepare<[string], number>('SELECT count(*) FROM history WHERE subject = ?').pluck().get('planets/earth'), 1);
});

/** A record of an unknown type, after the last one of `subject` in `records`. */
function unknownAfter(records: readonly AcceptedRecord[], subject: string, type: string, offset: number): AcceptedRecord {
  const last = records.findLast((record) => record.record.headers.ce_subject === subject);
  const revision = last === undefined ? 1 : Number(last.record.headers.ce_sequence) + 1;
  const canonical = encodeCanonical({
    value: Buffer.from([1, 2, 3]),
    headers: {
      ...log[0]!.record.headers, ce_subject: subject, ce_type: type,
      ce_sequence: String(revision).padStart(20, '0'), ce_predecessorhash: last?.hash ?? '0'.repeat(64),
    },
  });
  return AcceptedRecord.fromCanonical(canonical, { hash: hashCanonical(canonical), partition: 0, offset: BigInt(offset) });
}
