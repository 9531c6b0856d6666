import test from 'ava';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AcceptedRecord } from '../../src/log/accepted-record.ts';
import { readBatchLimit } from '../../src/log/event-log.ts';
import { startPosition, type Position } from '../../src/log/position.ts';
import { RecordTail, type ReadOlder } from '../../src/log/record-tail.ts';
import { Random } from '../simulation/random.ts';

const never = new AbortController().signal;

/** A log whose storage is an array, and which may know of records before the tail does. */
class Fixture {
  readonly stored: AcceptedRecord[] = [];
  readonly tail: RecordTail;
  /** How often the storage was read. */
  reads = 0;
  readonly #next: bigint[];

  /** `before` records of each partition are in the storage already. */
  constructor(partitions: number, before = 0) {
    this.#next = Array.from({ length: partitions }, () => 0n);
    for (let record = 0; record < before; record += 1) this.store(partitions, () => 0);
    this.tail = new RecordTail(new Map(this.stored.map(({ partition, offset }) => [partition, offset])));
  }

  /** Stores `count` records in partitions that `pick` chooses; what it returns is to be pushed. */
  store(count: number, pick: (index: number) => number): AcceptedRecord[] {
    const records = Array.from({ length: count }, (_, index) => {
      const partition = (index + pick(index)) % this.#next.length;
      const offset = this.#next[partition]!;
      this.#next[partition] = offset + 1n + (offset % 3n === 0n ? 1n : 0n);
      return AcceptedRecord.fromCanonical(Buffer.from(`${partition}-${offset}`), { partition, offset });
    });
    this.stored.push(...records);
    return records;
  }

  push(count: number): void {
    this.tail.push(this.store(count, () => 0));
  }

  /** Partition by partition, as the history gives them. */
  readonly older: ReadOlder = (from, limit) => {
    this.reads += 1;
    return this.after(from).toSorted((a, b) => a.partition - b.partition).slice(0, limit)
      .map(({ partition, offset, canonical, hash }) => ({ partition, offset, canonical, hash }));
  };

  read(from: Position = startPosition, signal: AbortSignal = never): AsyncGenerator<readonly AcceptedRecord[]> {
    return this.tail.read(from, signal, this.older);
  }

  /** Everything after `from`. */
  after(from: Position): AcceptedRecord[] {
    return this.stored.filter(({ partition, offset }) => offset > (from.get(partition) ?? -1n));
  }
}

function byPartition(records: readonly AcceptedRecord[]): Map<number, bigint[]> {
  const places = new Map<number, bigint[]>();
  for (const { partition, offset } of records.toSorted((a, b) => a.partition - b.partition)) {
    const known = places.get(partition);
    if (known === undefined) places.set(partition, [offset]);
    else known.push(offset);
  }
  return places;
}

const placesOf = (batch: readonly AcceptedRecord[] | undefined): string[] => (batch ?? []).map(({ canonical }) => String(canonical));

for (let seed = 1; seed <= 12; seed += 1) {
  test.serial(`readers of any pace, from anywhere, get every record once and each partition in order (seed ${seed})`, async (t) => {
    const random = new Random(seed);
    const partitions = random.pick([1, 2, 5]);
    const fixture = new Fixture(partitions, random.pick([0, 3, 700]));
    const stop = new AbortController();
    const readers = [0, 0, 0.1, 0.8].map((pause) => ({ pause, from: startOf(fixture, partitions, random), got: [] as AcceptedRecord[] }));
    const isDone = (): boolean => readers.every(({ from, got }) => got.length >= fixture.after(from).length);
    let isFilled = false;
    const reading = readers.map(async ({ pause, from, got }) => {
      for await (const batch of fixture.read(from, stop.signal)) {
        t.true(batch.length > 0 && batch.length <= readBatchLimit);
        got.push(...batch);
        if (isFilled && isDone()) stop.abort();
        while (random.chance(pause)) await nextTurn();
      }
    });
    for (let round = 0; round < 30; round += 1) {
      const size = random.chance(0.1) ? random.between(500, 2_500) : random.between(0, 20);
      const records = fixture.store(size, () => random.between(0, partitions));
      // The storage may be read by others before the tail is told.
      if (random.chance(0.5)) await nextTurn();
      const split = random.between(0, records.length);
      fixture.tail.push(records.slice(0, split));
      if (random.chance(0.5)) await nextTurn();
      fixture.tail.push(records.slice(split));
      while (random.chance(0.3)) await nextTurn();
    }
    isFilled = true;
    if (isDone()) stop.abort();
    await Promise.all(reading);
    for (const { from, got } of readers) t.deepEqual(byPartition(got), byPartition(fixture.after(from)));
  });
}

function startOf(fixture: Fixture, partitions: number, random: Random): Position {
  const last = fixture.stored.at(-1)?.offset ?? 0n;
  const near = (): bigint => last - BigInt(random.between(0, random.pick([5, 500])));
  return new Map(Array.from({ length: partitions }, (_, partition) => [partition, near()] as const).filter(() => random.chance(0.7)));
}

test('a reader that keeps up never asks the storage, one that is behind asks only until it has reached the tail', async (t) => {
  const fixture = new Fixture(2);
  const eager = fixture.read();
  for (let count = 1; count <= 5_000; count += 1) {
    fixture.push(1);
    t.is((await eager.next() as IteratorYieldResult<readonly AcceptedRecord[]>).value.length, 1);
  }
  t.is(fixture.reads, 0);
  const late = fixture.read();
  let got = 0;
  while (got < 5_000) got += (await late.next() as IteratorYieldResult<readonly AcceptedRecord[]>).value.length;
  // 1,000 at a time; the newest 512 at least come from the tail.
  t.true(fixture.reads <= 5, `${fixture.reads} reads`);
  const reads = fixture.reads;
  const next = late.next();
  fixture.push(1);
  t.is((await next as IteratorYieldResult<readonly AcceptedRecord[]>).value.length, 1);
  t.is(fixture.reads, reads);
});

test('what the storage gave before the tail was told of it does not come again', async (t) => {
  const fixture = new Fixture(1, 2);
  const ahead = fixture.store(2, () => 0);
  const reader = fixture.read();
  t.deepEqual(placesOf((await reader.next()).value as readonly AcceptedRecord[]), ['0-0', '0-2', '0-3', '0-5']);
  const next = reader.next();
  fixture.tail.push(ahead);
  fixture.push(1);
  t.deepEqual(placesOf((await next).value as readonly AcceptedRecord[]), ['0-6']);
});

test('a batch that is larger than the tail reaches a waiting reader whole', async (t) => {
  const fixture = new Fixture(3);
  const reader = fixture.read();
  const first = reader.next();
  fixture.push(5_000);
  let got = ((await first) as IteratorYieldResult<readonly AcceptedRecord[]>).value;
  while (got.length < 5_000) got = [...got, ...(await reader.next() as IteratorYieldResult<readonly AcceptedRecord[]>).value];
  t.deepEqual(byPartition(got), byPartition(fixture.stored));
});

const ends: Readonly<Record<string, (fixture: Fixture, stop: AbortController) => void>> = {
  'its signal aborts': (_, stop) => { stop.abort(); },
  'the tail is closed': ({ tail }) => { tail.close(); },
};

for (const [what, end] of Object.entries(ends)) {
  test(`a reader ends when ${what}, while it waits and while it has a batch in hand`, async (t) => {
    const fixture = new Fixture(1);
    const stop = new AbortController();
    const waiting = fixture.read(startPosition, stop.signal).next();
    fixture.push(1);
    const busy = fixture.read(startPosition, stop.signal);
    await busy.next();
    t.false((await waiting).done);
    const idle = fixture.read(new Map([[0, 0n]]), stop.signal).next();
    await nextTurn();
    end(fixture, stop);
    t.true((await idle).done);
    t.true((await busy.next()).done);
    t.true((await fixture.read(startPosition, stop.signal).next()).done);
  });
}

test('a storage that does not hold what was accepted is not read for ever', async (t) => {
  const tail = new RecordTail(new Map([[0, 7n]]));
  await t.throwsAsync(tail.read(startPosition, never, () => []).next(), { message: 'the storage does not hold what the log has accepted' });
});
