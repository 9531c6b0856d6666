import test from 'ava';
import { Intake } from '../../../src/log/kafka/intake.ts';
import type { Judge, Judged, ReadRecord } from '../../../src/log/kafka/judge.ts';

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
const record: ReadRecord = { partition: 0, offset: 0n, canonical: new Uint8Array(1) };
const nothing: Judged = { verdicts: [], halts: [] };

test('an intake is idle only when nothing waits to be judged, nor is being judged', async (t) => {
  const judging = Promise.withResolvers<Judged>();
  const judged = Promise.withResolvers<void>();
  const intake = new Intake({ judge: () => judging.promise } as Partial<Judge> as Judge, () => { judged.resolve(); }, log);
  t.true(intake.isIdle);
  t.is(intake.take([record]), undefined);
  await new Promise((resolve) => setImmediate(resolve));
  t.false(intake.isIdle, 'its only batch is being judged');
  judging.resolve(nothing);
  await judged.promise;
  await new Promise((resolve) => setImmediate(resolve));
  t.true(intake.isIdle);
});

test('what comes while the last batch ends is judged too', async (t) => {
  const judged: bigint[] = [];
  const intake: Intake = new Intake({ judge: async () => nothing } as Partial<Judge> as Judge, (records) => {
    judged.push(...records.map(({ offset }) => offset));
    if (judged.length === 1) queueMicrotask(() => { void intake.take([{ ...record, offset: 1n }]); });
  }, log);
  void intake.take([record]);
  await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(judged, [0n, 1n]);
  t.true(intake.isIdle);
});
