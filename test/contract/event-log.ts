import test from 'ava';
import type { ExecutionContext } from 'ava';
import { decodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import { readBatchLimit, type AppendOutcome, type EventLog } from '../../src/log/event-log.ts';
import { emptyHead } from '../../src/log/head.ts';
import { hasReached, startPosition, type Position } from '../../src/log/position.ts';
import { positionOf, readLog } from './read-log.ts';
import { TaskChain } from './task-chain.ts';

/** A log that a test may do with what it likes. */
export interface LogUnderTest {
  readonly log: EventLog;
  /** Closes the log, where that has not been done, and opens another one over the same records. */
  reopen(): Promise<EventLog>;
}

/** Opens an empty log and frees everything, by `t.teardown`, when the test ends. */
export type OpenLog = (t: ExecutionContext) => Promise<LogUnderTest>;

/** What every adapter of `EventLog` promises (design §3). */
export function eventLogContract(name: string, open: OpenLog): void {
  const promise = (title: string, body: (t: ExecutionContext, under: LogUnderTest) => Promise<void>): void => {
    test(`${name}: ${title}`, async (t) => body(t, await open(t)));
  };
  appendContract(promise);
  readContract(promise);
  lifeContract(promise);
}

type Register = (title: string, body: (t: ExecutionContext, under: LogUnderTest) => Promise<void>) => void;

const hex = (canonical: Uint8Array): string => Buffer.from(canonical).toString('hex');
const kinds = (outcomes: readonly AppendOutcome[]): string[] => outcomes.map(({ kind }) => kind).toSorted();

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

function acceptedAt(t: ExecutionContext, outcome: AppendOutcome): Position {
  if (outcome.kind !== 'accepted') throw t.fail(`it was ${outcome.kind}`) as unknown as Error;
  return outcome.position;
}

function appendContract(promise: Register): void {
  promise('what was accepted can be read, in the bytes that were sent', async (t, { log }) => {
    const chain = new TaskChain();
    const { canonical, outcome } = await chain.append(log);
    const records = await readLog(log);
    t.deepEqual(records.map((record) => [record.canonical, record.hash]), [[hex(canonical), hashCanonical(canonical)]]);
    t.deepEqual(records.map(positionOf), [acceptedAt(t, outcome)]);
  });

  promise('of two records for one revision exactly one is accepted, whoever sends them when', async (t, { log }) => {
    const chain = new TaskChain();
    for (let revision = 1; revision <= 8; revision += 1) {
      const rivals = [chain.candidate(), chain.candidate(), chain.candidate()];
      const outcomes = await Promise.all(rivals.map((rival) => log.append(rival)));
      t.deepEqual(kinds(outcomes), ['accepted', 'superseded', 'superseded']);
      const winner = rivals[outcomes.findIndex(({ kind }) => kind === 'accepted')];
      t.is((await log.append(chain.candidate())).kind, 'superseded');
      chain.advance(winner ?? Buffer.alloc(0));
    }
    const records = await readLog(log);
    t.is(records.length, 8);
    t.is(records.at(-1)?.hash, chain.head.hash);
  });

  promise('a record that names another predecessor, or an older revision, is superseded and never read', async (t, { log }) => {
    const chain = new TaskChain();
    const first = await chain.append(log);
    const second = await chain.append(log);
    const stale = [
      chain.candidate({ revision: 0n, hash: emptyHead.hash }),
      chain.candidate({ revision: 1n, hash: hashCanonical(first.canonical) }),
      chain.candidate({ revision: 1n, hash: 'f'.repeat(64) }),
    ];
    for (const record of stale) t.is((await log.append(record)).kind, 'superseded');
    t.deepEqual((await readLog(log)).map(({ hash }) => hash), [hashCanonical(first.canonical), hashCanonical(second.canonical)]);
  });

  promise('a record that leaves a gap, or follows what is not there, is never accepted', async (t, { log }) => {
    const chain = new TaskChain();
    const { canonical } = await chain.append(log);
    const unfit = [
      chain.candidate({ revision: 2n, hash: chain.head.hash }),
      chain.candidate({ revision: 1n, hash: 'f'.repeat(64) }),
      new TaskChain().candidate({ revision: 1n, hash: emptyHead.hash }),
    ];
    const signal = AbortSignal.timeout(2_000);
    for (const record of unfit) t.not((await log.append(record, signal)).kind, 'accepted');
    t.deepEqual((await readLog(log)).map((record) => record.canonical), [hex(canonical)]);
  });

  promise('a record that is sent again is not doubled, and its sender never hears of another place', async (t, { log }) => {
    const chain = new TaskChain();
    const first = chain.candidate();
    const outcomes = await Promise.all([log.append(first), log.append(first)]);
    outcomes.push(await log.append(first));
    const places = outcomes.filter(({ kind }) => kind === 'accepted');
    t.true(places.length >= 1);
    for (const place of places) t.deepEqual(place, places[0]);
    t.deepEqual(new Set(outcomes.map(({ kind }) => kind)).has('unknown'), false);
    chain.advance(first);
    const { canonical: second } = await chain.append(log);
    t.is((await log.append(first)).kind, 'superseded');
    t.deepEqual((await readLog(log)).map((record) => record.canonical), [hex(first), hex(second)]);
  });

  promise('many streams at once keep each their own order', async (t, { log }) => {
    const chains = Array.from({ length: 100 }, () => new TaskChain());
    const sent = await Promise.all(chains.map(async (chain) => {
      const hashes: string[] = [];
      for (let revision = 1; revision <= 10; revision += 1) {
        const { canonical, outcome } = await chain.append(log);
        t.is(outcome.kind, 'accepted');
        hashes.push(hashCanonical(canonical));
      }
      return [chain.subject, hashes] as const;
    }));
    const read = Map.groupBy(await readLog(log), ({ canonical }) => decodeCanonical(Buffer.from(canonical, 'hex')).headers.ce_subject);
    const hashes = [...read].map(([subject, records]) => [subject, records.map(({ hash }) => hash)] as const);
    t.deepEqual(hashes.toSorted(), sent.toSorted());
  });
}

function readContract(promise: Register): void {
  promise('a reader starts after any position', async (t, { log }) => {
    const chain = new TaskChain();
    for (let revision = 1; revision <= 12; revision += 1) await chain.append(log);
    const all = await readLog(log);
    for (const [index, record] of all.entries()) t.deepEqual(await readLog(log, positionOf(record)), all.slice(index + 1));
  });

  promise('a reader at the end waits for what comes, and ends when it is stopped', async (t, { log }) => {
    const chain = new TaskChain();
    await chain.append(log);
    const stop = new AbortController();
    const reader = log.read(await log.end(), stop.signal)[Symbol.asyncIterator]();
    const next = reader.next();
    const { canonical } = await chain.append(log);
    const { value } = await next;
    t.deepEqual((value as readonly { canonical: Uint8Array }[]).map((record) => hex(record.canonical)), [hex(canonical)]);
    const last = reader.next();
    stop.abort();
    t.true((await last).done);
    t.deepEqual(await collect(log.read(startPosition, AbortSignal.abort())), []);
  });

  promise('readers of any speed get every record once, in batches within the limit', async (t, { log }) => {
    // More than any adapter keeps in memory for readers that keep up.
    const chains = Array.from({ length: 100 }, () => new TaskChain());
    const rounds = 30;
    const begun = Promise.withResolvers<void>();
    const filled = Promise.withResolvers<void>();
    const pause = new Promise<void>((resolve) => void filled.promise.then(resolve));
    const stop = new AbortController();
    const follow = async (between: (count: number) => Promise<void>): Promise<string[]> => {
      const hashes: string[] = [];
      for await (const batch of log.read(startPosition, stop.signal)) {
        t.true(batch.length > 0 && batch.length <= readBatchLimit);
        hashes.push(...batch.map(({ hash }) => hash));
        begun.resolve();
        await between(hashes.length);
        if (hashes.length === chains.length * rounds) break;
      }
      return hashes;
    };
    const eager = follow(async () => undefined);
    // Stands still after its first batch until everything was written.
    const slow = follow(async () => pause);
    const unsteady = follow((count) => new Promise((resolve) => (count % 3 === 0 ? setImmediate(resolve) : queueMicrotask(resolve))));
    for (const chain of chains) await chain.append(log);
    await begun.promise;
    await Promise.all(chains.map(async (chain) => {
      for (let round = 1; round < rounds; round += 1) t.is((await chain.append(log)).outcome.kind, 'accepted');
    }));
    filled.resolve();
    const expected = (await readLog(log)).map(({ hash }) => hash);
    t.is(new Set(expected).size, chains.length * rounds);
    for (const hashes of await Promise.all([eager, slow, unsteady])) {
      t.is(new Set(hashes).size, hashes.length);
      t.deepEqual(hashes.toSorted(), expected.toSorted());
    }
    stop.abort();
  });

  promise('the end is at or past everything that was accepted before it was asked for', async (t, { log }) => {
    t.true(hasReached(startPosition, await log.end()));
    const chains = Array.from({ length: 30 }, () => new TaskChain());
    await Promise.all(chains.map(async (chain) => {
      for (let revision = 1; revision <= 5; revision += 1) {
        const { outcome } = await chain.append(log);
        const end = await log.end();
        t.true(hasReached(end, acceptedAt(t, outcome)));
      }
    }));
    const all = await readLog(log);
    t.is(all.length, 150);
  });
}

function lifeContract(promise: Register): void {
  promise('opened again it holds the same records, and the chain goes on', async (t, under) => {
    const chains = Array.from({ length: 5 }, () => new TaskChain());
    for (const chain of chains) for (let revision = 1; revision <= 5; revision += 1) await chain.append(under.log);
    const before = await readLog(under.log);
    const log = await under.reopen();
    t.deepEqual(await readLog(log), before);
    for (const chain of chains) {
      t.is((await log.append(chain.candidate({ revision: 3n, hash: chain.head.hash }))).kind, 'superseded');
      t.is((await chain.append(log)).outcome.kind, 'accepted');
    }
    const after = await readLog(log);
    const kept = new Set(before.map(({ hash }) => hash));
    t.deepEqual(after.filter(({ hash }) => kept.has(hash)), before);
    t.is(after.length, before.length + chains.length);
  });

  promise('closing lets appends end, ends readers and refuses new appends', async (t, under) => {
    const chains = Array.from({ length: 200 }, () => new TaskChain());
    const reading = collect(under.log.read(startPosition, new AbortController().signal));
    const appends = chains.map((chain) => chain.append(under.log));
    const closed = under.log.close();
    const outcomes = await Promise.all(appends);
    await closed;
    await reading;
    t.is((await under.log.append(new TaskChain().candidate())).kind, 'unknown');
    const kept = new Set((await readLog(await under.reopen())).map(({ hash }) => hash));
    for (const { canonical, outcome } of outcomes) if (outcome.kind === 'accepted') t.true(kept.has(hashCanonical(canonical)));
    t.false(kinds(outcomes.map(({ outcome }) => outcome)).includes('superseded'));
  });
}
