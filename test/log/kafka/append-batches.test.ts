import test from 'ava';
import type { ExecutionContext } from 'ava';
import { decodeCanonical, hashCanonical } from '../../../src/log/canonical.ts';
import { AppendBatches } from '../../../src/log/kafka/append-batches.ts';
import { PendingAppends } from '../../../src/log/kafka/pending-appends.ts';
import type { OutgoingMessage } from '../../../src/log/kafka/read-message.ts';
import { createdImport } from '../../../bench/finished-imports.ts';

/** A sender that tells of each batch, and takes it when the test says so. */
function batchesOf(t: ExecutionContext) {
  const sent: string[][] = [];
  const moments = (): ((index: number) => PromiseWithResolvers<void>) => {
    const all: PromiseWithResolvers<void>[] = [];
    return (index) => (all[index] ??= Promise.withResolvers<void>());
  };
  const sentAt = moments();
  const takenAt = moments();
  const names = new Map<string, string>();
  const sender = {
    async send(messages: OutgoingMessage[]) {
      sent.push(messages.map(({ headers }) => names.get(headers['ce_id'] ?? '') ?? ''));
      sentAt(sent.length - 1).resolve();
      await takenAt(sent.length - 1).promise;
    },
    close: () => undefined,
  };
  const batches = new AppendBatches(sender, new PendingAppends(), 3);
  const add = (name: string): void => {
    const canonical = createdImport();
    const record = decodeCanonical(canonical);
    names.set(record.headers.ce_id, name);
    const hash = hashCanonical(canonical);
    batches.add({ record, sizeBytes: canonical.length, hash, deadlineMs: Infinity, settle: () => t.fail() });
  };
  return { sent, add, nthSent: (index: number) => sentAt(index).promise, take: (index: number) => { takenAt(index).resolve(); } };
}

test('appends of one turn go together, and those that come while the brokers have not got them go together behind them', async (t) => {
  const { sent, add, nthSent, take } = batchesOf(t);
  add('a');
  add('b');
  await nthSent(0);
  add('c');
  add('d');
  take(0);
  await nthSent(1);
  t.deepEqual(sent, [['a', 'b'], ['c', 'd']]);
});

test('a batch that the brokers do not take does not hold up the others for long', async (t) => {
  const { sent, add, nthSent } = batchesOf(t);
  add('a');
  await nthSent(0);
  add('b');
  await nthSent(1);
  add('c');
  await nthSent(2);
  t.deepEqual(sent, [['a'], ['b'], ['c']]);
});
