import type { ReadRecord } from '../../src/log/kafka/judge.ts';
import { openReplica } from '../../src/projector/replica.ts';
import { TaskChain } from '../contract/task-chain.ts';
import { serveWords } from './serve-words.ts';

/*
 * Started by replica-disk-full.test.ts, which bounds the size of this process's files from outside. `complete`: the
 * projections are no longer built when it begins.
 */

const [folder = '', state = ''] = process.argv.slice(2);
const replica = await openReplica(folder, { stageTimeoutMs: 60_000 }, (cause) => { throw cause; });
if (state === 'complete') await replica.caughtUp();
const chain = new TaskChain({ paddingBytes: 20_000 });
let offset = -1n;
let refused: readonly ReadRecord[] = [];

/** Four records of one stream, the third of them twice. */
function nextBatch(): ReadRecord[] {
  const [a, b, c, d] = Array.from({ length: 4 }, () => {
    const record = chain.candidate();
    chain.advance(record);
    return record;
  });
  return [a, b, c, c, d].map((canonical) => ({ partition: 2, offset: offset += 1n, canonical: canonical ?? Buffer.alloc(0) }));
}

async function judge(batch: readonly ReadRecord[]): Promise<{ readonly verdicts: string; readonly lagging: string | undefined }> {
  try {
    const { verdicts } = await replica.judge(batch);
    refused = [];
    return { verdicts: verdicts.map(({ kind }) => kind).join(' '), lagging: replica.lagging };
  } catch (cause) {
    refused = batch;
    return { verdicts: cause instanceof Error ? cause.message : String(cause), lagging: replica.lagging };
  }
}

await serveWords({
  judge: () => judge(nextBatch()),
  async fill() {
    for (;;) {
      const before = String(replica.places.get(2)?.offset);
      const { verdicts, lagging } = await judge(nextBatch());
      if (lagging !== undefined) return { verdicts, isUnmoved: before === String(replica.places.get(2)?.offset) };
    }
  },
  judgeAgain: () => judge(refused),
  async finish() {
    await replica.caughtUp();
    const records = replica.acceptedAfter(new Map(), 1_000_000).length;
    await replica.close();
    return { records, of: Number(chain.head.revision) };
  },
});
