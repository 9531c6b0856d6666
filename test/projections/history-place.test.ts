import test from 'ava';
import { historyQueries } from '../../projections/history/queries.ts';
import { endOfPartition, endOfPlaces, offsetOfPlace, partitionOfPlace, placeAfter, placeOf } from '../../projections/history/place.ts';
import { AcceptedRecord } from '../../src/log/accepted-record.ts';
import { startPosition } from '../../src/log/position.ts';
import { TaskChain } from '../contract/task-chain.ts';
import { projected } from './project.ts';

const largest = 2 ** 43 - 1;

const places: readonly (readonly [partition: number, offset: number, place: number])[] = [
  [0, 0, 0],
  [0, 42, 42],
  [0, largest, largest],
  [1, 0, 2 ** 43],
  [11, 7, 11 * 2 ** 43 + 7],
  [1_023, largest, Number.MAX_SAFE_INTEGER],
];

for (const [partition, offset, place] of places) {
  test(`partition ${partition} and offset ${offset} are place ${place}, and back`, (t) => {
    t.is(placeOf(partition, offset), place);
    t.deepEqual([partitionOfPlace(place), offsetOfPlace(place)], [partition, offset]);
  });
}

test('what is beyond the bounds has no place', (t) => {
  for (const [partition, offset] of [[0, 2 ** 43], [1_024, 0]] as const) {
    t.throws(() => placeOf(partition, offset), {
      instanceOf: RangeError, message: `position ${partition}-${offset} is beyond the bounds: 1024 partitions of 2^43 records each`,
    });
  }
});

test('the place after an offset is in the same partition, or where it ends, whatever a caller names', (t) => {
  t.deepEqual([-1n, 0n, BigInt(largest) - 1n, BigInt(largest), 2n ** 63n - 1n].map((offset) => placeAfter(3, offset)), [
    placeOf(3, 0), placeOf(3, 1), placeOf(3, largest), placeOf(4, 0), placeOf(4, 0),
  ]);
  t.deepEqual([endOfPartition(3), endOfPartition(1_023)], [placeOf(4, 0), endOfPlaces]);
});

test('the history is read by place to the very bounds of the log', (t) => {
  const spots = [[0, 0], [0, 5], [7, 0], [7, largest], [1_023, 1], [1_023, largest]] as const;
  const records = spots.map(([partition, offset]) => (
    AcceptedRecord.fromCanonical(new TaskChain().candidate(), { partition, offset: BigInt(offset) })
  ));
  const history = historyQueries(projected(records).db);
  const found = (from: ReadonlyMap<number, bigint>, limit = 100): (readonly [number, number])[] => (
    history.acceptedAfter(from, limit).map(({ partition, offset }) => [partition, offset] as const)
  );
  t.deepEqual(found(startPosition), [...spots]);
  t.deepEqual(found(startPosition, 3), spots.slice(0, 3));
  t.deepEqual(found(new Map([[0, 0n], [1_023, 1n]])), [[0, 5], [7, 0], [7, largest], [1_023, largest]]);
  t.deepEqual(found(new Map([[0, 2n ** 63n - 1n], [7, BigInt(largest)], [500, 3n]])), [[1_023, 1], [1_023, largest]]);
  t.deepEqual(found(history.lastAccepted()), []);
  t.deepEqual(history.lastAccepted(), new Map([[1_023, BigInt(largest)], [7, BigInt(largest)], [0, 5n]]));
  t.deepEqual(historyQueries(projected().db).lastAccepted(), startPosition);
  const { record: { headers }, canonical, hash } = records[1]!;
  t.deepEqual(history.acceptedAfter(new Map([[0, 0n]]), 1), [
    { subject: headers.ce_subject, revision: 1, partition: 0, offset: 5, canonical: Buffer.from(canonical), hash },
  ]);
});
