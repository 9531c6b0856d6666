import test from 'ava';
import type { BytesPool } from '../../src/bytes/bytes-pool.ts';
import { Sink, type SinkTarget } from '../../src/bytes/sink.ts';
import type { SyncedPrefix } from '../../src/bytes/staged-file.ts';
import type { ThreadLink } from '../../src/bytes/thread-link.ts';
import { StagedTransfer } from '../../src/stages/staged-transfer.ts';
import type { ImageStore } from '../../src/stores/image-store.ts';

const run = { taskId: 'task', attempt: 1, signal: new AbortController().signal, progress: () => undefined };
const content = { source: 'it', sizeBytes: 100, validators: { etag: '"v1"' }, facts: {} };
const prefix: SyncedPrefix = { sizeBytes: 50, digest: 'sha256:x' };

/** A link whose thread takes everything and answers only what the test says. */
const silentLink = {
  join: () => undefined, leave: () => undefined, send: () => undefined, sendSlot: () => undefined, atTurnEnd: () => undefined,
  slotView: () => new Uint8Array(2 ** 20), slots: { tryTake: () => 0, give: () => undefined, stopWaiting: () => undefined },
} as unknown as ThreadLink;

interface Fixture {
  readonly transfer: StagedTransfer;
  /** What the thread says of how far the file is durable, after so many restarts. */
  readonly synced: (restarts: number) => void;
  readonly asked: readonly string[];
}

function start(): Fixture {
  const asked: string[] = [];
  const sinks: Sink[] = [];
  const pool = {
    openSink(target: SinkTarget): Sink {
      sinks.push(new Sink(silentLink, 1, target));
      return sinks[0]!;
    },
  } as Partial<BytesPool> as BytesPool;
  const store = {
    stagedFile: () => ({ path: '/store/task.1', name: 'task.1' }),
    writeNote: async () => void asked.push('writeNote'),
    discardPart: async () => void asked.push('discardPart'),
  } as Partial<ImageStore> as ImageStore;
  const transfer = new StagedTransfer(run, { pool, store }, 'DISK_FORMAT_UNSPECIFIED', () => undefined);
  return { transfer, asked, synced: (restarts) => sinks[0]!.synced({ ...prefix, id: 1, restarts, asked: false }) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what the thread says of a transfer that was discarded is not noted', async (t) => {
  const { transfer, asked, synced } = start();
  transfer.describe(content);
  void transfer.write(new Uint8Array(10));
  synced(0);
  await turn();
  await transfer.discard(new Error('of no use'));
  synced(0);
  await turn();
  t.deepEqual(asked, ['writeNote', 'discardPart']);
});

test('what the thread says of bytes that were dropped is not noted of those that came after', async (t) => {
  const { transfer, asked, synced } = start();
  transfer.describe(content);
  void transfer.write(new Uint8Array(10));
  transfer.restart();
  transfer.describe(content);
  synced(0);
  await turn();
  t.deepEqual(asked, []);
  synced(1);
  await turn();
  t.deepEqual(asked, ['writeNote']);
});
