import test from 'ava';
import Sqlite from 'better-sqlite3';
import { projections } from '../../projections/all.ts';
import { hashCanonical } from '../../src/log/canonical.ts';
import type { ReadRecord, Verdict } from '../../src/log/kafka/judge.ts';
import { openProjections } from '../../src/projector/open-projections.ts';
import type { Projection } from '../../src/projector/projection.ts';
import { Projector } from '../../src/projector/projector.ts';
import { RecordJudge } from '../../src/projector/record-judge.ts';
import { projected, settings } from '../projections/project.ts';
import { Random } from '../simulation/random.ts';
import { tableDigests } from '../simulation/table-digests.ts';
import { generatedTopic, interleaved } from './generated-topic.ts';

const topic = generatedTopic(2_000, 5);
const { applied_places: _, ...expected } = tableDigests(projected(topic.accepted, 100).db);
const expectedPlaces = topic.partitions.flatMap((records, partition) => {
  const { offset, canonical } = records.at(-1)!;
  return [{ partition, offset: Number(offset), hash: hashCanonical(canonical) }];
});
const acceptedPlaces = topic.accepted.map(({ partition, offset }) => `${partition}-${offset}`).toSorted();

/** Fails each batch with probability `share`, after all tables were written. */
function failing(random: Random, share: number): Projection {
  return {
    name: 'failing', version: 1, schema: '',
    prepare: () => () => {
      if (random.chance(share)) throw new Sqlite.SqliteError('disk full', 'SQLITE_FULL');
    },
  };
}

test('the generated topic has more void records than one', (t) => {
  const records = topic.partitions.flat();
  t.true(records.length > topic.accepted.length * 1.1);
  t.true(topic.partitions.every((partition) => partition.length > 100));
});

for (let seed = 1; seed <= 12; seed += 1) {
  test(`whatever the interleaving, the batches, the starts and the failures, the tables are the same (seed ${seed})`, (t) => {
    const random = new Random(seed);
    const all = [...projections, failing(random, 0.2)];
    const db = openProjections(':memory:', all);
    const start = (): RecordJudge => new RecordJudge(new Projector(db, all, settings));
    let judge = start();
    const verdicts = new Map<string, Verdict['kind']>();
    const records = interleaved(topic, random);
    for (let at = 0; at < records.length;) {
      const batch = records.slice(at, at + random.between(1, random.chance(0.2) ? 1_000 : 30));
      // Now and then some of what was read before comes again, as after a broken connection.
      const again = random.chance(0.1) ? records.slice(Math.max(0, at - random.between(1, 50)), at) : [];
      if (random.chance(0.05)) judge = start();
      const judged = judgeUntilStored(judge, [...again, ...batch]);
      batch.forEach(({ partition, offset }, index) => verdicts.set(`${partition}-${offset}`, judged[again.length + index]!.kind));
      t.true(judged.slice(0, again.length).every(({ kind }) => kind === 'void'));
      at += batch.length;
    }
    const accepted = [...verdicts].flatMap(([place, kind]) => (kind === 'accepted' ? [place] : []));
    t.deepEqual(accepted.toSorted(), acceptedPlaces);
    const { applied_places: _places, ...digests } = tableDigests(db);
    t.deepEqual(digests, expected);
    t.deepEqual(db.prepare('SELECT * FROM applied_places ORDER BY partition').all(), expectedPlaces);
  });
}

/** A batch that fails comes again, as it is. */
function judgeUntilStored(judge: RecordJudge, batch: readonly ReadRecord[]): readonly Verdict[] {
  for (;;) {
    try {
      return judge.judge(batch).verdicts;
    } catch (cause) {
      if (!(cause instanceof Sqlite.SqliteError)) throw cause;
    }
  }
}
