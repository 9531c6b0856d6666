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
