import test, { type ExecutionContext } from 'ava';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projections } from '../../projections/all.ts';
import { historyQueries } from '../../projections/history/queries.ts';
import { decodeCanonical, encodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import type { ReadRecord } from '../../src/log/kafka/judge.ts';
import { hasReached, startPosition } from '../../src/log/position.ts';
import { openProjectionsForReading, projectionsFileName } from '../../src/projector/open-projections.ts';
import { openReplica, type Replica } from '../../src/projector/replica.ts';
import { TaskChain } from '../contract/task-chain.ts';
import { temporaryFolder } from '../log/sqlite/open-log.ts';
import { Random } from '../simulation/random.ts';
import { tableDigests } from '../simulation/table-digests.ts';
import { generatedTopic, interleaved } from './generated-topic.ts';

const settings = { stageTimeoutMs: 60_000 };
const topic = generatedTopic(600, 4, 7);
const read = interleaved(topic, new Random(7));

/** The replica of `folder`; a thread that dies by itself fails the test. */
async function replicaIn(t: ExecutionContext, folder: string): Promise<Replica> {
  const replica = await openReplica(folder, settings, (cause) => { throw cause; });
  t.teardown(() => replica.close());
  return replica;
}

async function judgeAll(replica: Replica, records: readonly ReadRecord[], batchSize: number): Promise<void> {
  for (let at = 0; at < records.length; at += batchSize) await replica.judge(records.slice(at, at + batchSize));
}

function digestsOf(folder: string): Record<string, string> {
  const db = openProjectionsForReading(folder, projections);
  try {
    return tableDigests(db);
  } finally {
    db.close();
  }
}

test('tables that were built, in whatever batches, are those that were written as the records came', async (t) => {
  const digests: Record<string, string>[] = [];
  for (const [before, batchSize] of [[0, 50], [read.length, 1_000], [read.length, 33], [300, 100]] as const) {
    const replica = await replicaIn(t, temporaryFolder(t));
    t.true(replica.isBuilding);
    await judgeAll(replica, read.slice(0, before), batchSize);
    await replica.caughtUp();
    t.false(replica.isBuilding);
    await judgeAll(replica, read.slice(before), batchSize);
    digests.push(digestsOf(replica.projectionsFolder));
  }
  t.is(Object.keys(digests[0]!).length, 6);
  for (const other of digests.slice(1)) t.deepEqual(other, digests[0]);
});

test('verdicts cross as they are: accepted, void with the head, withheld, and the halt', async (t) => {
  const replica = await replicaIn(t, temporaryFolder(t));
  const chain = new TaskChain();
  const first = chain.candidate();
  chain.advance(first);
  const second = chain.candidate();
  const broken = encodeCanonical({ ...decodeCanonical(second), value: Buffer.from([0xff]) });
  const unknown = encodeCanonical({ value: Buffer.alloc(0), headers: { ...decodeCanonical(new TaskChain().candidate()).headers, ce_type: 'lehr.v9.TaskPraised' } });
  t.deepEqual(await replica.judge([
    { partition: 7, offset: 2n ** 40n, canonical: first },
    { partition: 7, offset: 2n ** 40n + 1n, canonical: first },
    { partition: 0, offset: 0n, canonical: unknown },
    { partition: 7, offset: 2n ** 40n + 2n, canonical: second, isForeign: true },
    { partition: 7, offset: 2n ** 40n + 3n, canonical: broken },
    { partition: 7, offset: 2n ** 40n + 4n, canonical: second },
  ]), {
    verdicts: [
      { kind: 'accepted' },
      { kind: 'void', head: { revision: 1n, hash: hashCanonical(first) } },
      { kind: 'accepted' },
      { kind: 'void', head: { revision: 0n, hash: '0'.repeat(64) } },
      { kind: 'withheld' },
      { kind: 'withheld' },
    ],
    halts: [{
      partition: 7, offset: 2n ** 40n + 3n,
      message: `the record at position 7-${2 ** 40 + 3}, lehr.v1.AttemptStarted of ${chain.subject}, revision 2, cannot be applied: premature EOF`,
    }],
  });
  t.is(replica.unknownTypes, 1);
  t.deepEqual(replica.places, new Map([
    [7, { offset: 2n ** 40n + 2n, hash: hashCanonical(second) }],
    [0, { offset: 0n, hash: hashCanonical(unknown) }],
  ]));
  t.deepEqual(replica.applied.position, new Map([[7, 2n ** 40n + 2n], [0, 0n]]));
  // A halt holds while the process lives, whatever file the tables are in.
  await replica.caughtUp();
  t.deepEqual(await replica.judge([{ partition: 7, offset: 2n ** 40n + 5n, canonical: second }]), { verdicts: [{ kind: 'withheld' }], halts: [] });
});

test('a replica goes on from its places, and knows what was accepted last in each partition', async (t) => {
  const folder = temporaryFolder(t);
  for (let at = 0; at < read.length; at += 600) {
    const replica = await openReplica(folder, settings, (cause) => { throw cause; });
    t.is(replica.isBuilding, at === 0);
    const before = read.slice(0, at);
    const places = new Map(before.map(({ partition, offset, canonical }) => [partition, { offset, hash: hashCanonical(canonical) }]));
    t.deepEqual(sorted(replica.places), sorted(places));
    t.deepEqual(sorted(replica.acceptedAtOpen), sorted(acceptedWithin(before)));
    t.true(hasReached(replica.applied.position, replica.acceptedAtOpen));
    await judgeAll(replica, read.slice(at, at + 600), 100);
    await replica.caughtUp();
    await replica.close();
  }
});

test('accepted records after a position come partition by partition, in order, as many as were asked for', async (t) => {
  const replica = await replicaIn(t, temporaryFolder(t));
  t.throws(() => replica.acceptedAfter(startPosition, 1), { message: 'the projections are still being built' });
  await judgeAll(replica, read, 1_000);
  await replica.caughtUp();
  const inOrder = topic.accepted.toSorted((a, b) => a.partition - b.partition || Number(a.offset - b.offset));
  const random = new Random(3);
  for (const from of [startPosition, ...Array.from({ length: 20 }, () => positionWithin(random))]) {
    const expected = inOrder.filter(({ partition, offset }) => offset > (from.get(partition) ?? -1n))
      .map(({ partition, offset, canonical, hash }) => ({ partition, offset, canonical: Buffer.from(canonical), hash }));
    for (const limit of [1, 100, 10_000]) t.deepEqual(replica.acceptedAfter(from, limit), expected.slice(0, limit));
  }
});

test('what a crash leaves of projections that were being built is built anew', async (t) => {
  const folder = temporaryFolder(t);
  const first = await openReplica(folder, settings, (cause) => { throw cause; });
  await judgeAll(first, read.slice(0, 500), 100);
  await first.close();
  const file = projectionsFileName(projections);
  t.deepEqual(readdirSync(join(folder, 'projections')), [`${file}.building`]);
  const second = await replicaIn(t, folder);
  t.true(second.isBuilding);
  t.deepEqual([second.places, second.acceptedAtOpen], [new Map(), startPosition]);
  await judgeAll(second, read, 1_000);
  await second.caughtUp();
  t.deepEqual(readdirSync(join(folder, 'projections')).filter((name) => name.includes('building')), []);
  const db = openProjectionsForReading(second.projectionsFolder, projections);
  t.is(historyQueries(db).acceptedAfter(startPosition, 10_000).length, topic.accepted.length);
  db.close();
});

test('one batch at a time: a second one is refused, and the first goes on', async (t) => {
  const replica = await replicaIn(t, temporaryFolder(t));
  const first = replica.judge(read.slice(0, 100));
  await t.throwsAsync(replica.judge(read.slice(100, 200)), { message: 'a batch is being judged already' });
  t.is((await first).verdicts.length, 100);
  t.is((await replica.judge(read.slice(100, 200))).verdicts.length, 100);
  t.deepEqual(await replica.judge([]), { verdicts: [], halts: [] });
});

test('a projections file that is none is refused with the remedy', async (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, 'projections'));
  writeFileSync(join(folder, 'projections', projectionsFileName(projections)), 'no database'.repeat(1_000));
  const remedy = `Delete the folder ${join(folder, 'projections')}: it is built anew from the log.`;
  const message = `The projections cannot be opened or built: file is not a database. ${remedy}`;
  const deaths: string[] = [];
  await t.throwsAsync(openReplica(folder, settings, (cause) => deaths.push(cause.message)), { any: true, message });
  t.is(deaths.length, 1);
  rmSync(join(folder, 'projections'), { recursive: true });
  await (await openReplica(folder, settings, (cause) => { throw cause; })).close();
});

test('closing is no death, in whatever state, and nothing can be asked afterwards', async (t) => {
  const building = await openReplica(temporaryFolder(t), settings, (cause) => { throw cause; });
  const complete = await openReplica(temporaryFolder(t), settings, (cause) => { throw cause; });
  await complete.caughtUp();
  for (const replica of [building, complete]) {
    const last = replica.judge(read.slice(0, 10));
    await replica.close();
    t.is((await last).verdicts.length, 10);
    await t.throwsAsync(replica.judge([]), { message: /closed/ });
    await t.notThrowsAsync(replica.close());
  }
});

/** The last accepted record of each partition in a beginning of what was read. */
function acceptedWithin(records: readonly ReadRecord[]): Map<number, bigint> {
  const places = new Set(records.map(({ partition, offset }) => `${partition}-${offset}`));
  const accepted = topic.accepted.filter(({ partition, offset }) => places.has(`${partition}-${offset}`));
  return new Map(accepted.map(({ partition, offset }) => [partition, offset]));
}

function positionWithin(random: Random): Map<number, bigint> {
  return new Map(topic.partitions.flatMap((records, partition) => (
    random.chance(0.2) ? [] : [[partition, BigInt(random.between(0, records.length + 99))]]
  )));
}

function sorted<Value>(map: ReadonlyMap<number, Value>): [number, Value][] {
  return [...map].toSorted(([a], [b]) => a - b);
}
