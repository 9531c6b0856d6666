import { hashCanonical } from '../../src/log/canonical.ts';
import type { AppendOutcome } from '../../src/log/event-log.ts';
import { SqliteEventLog } from '../../src/log/sqlite/sqlite-event-log.ts';
import { openStorage } from '../../src/projector/storage.ts';
import { TaskChain } from '../contract/task-chain.ts';
import { serveWords } from './serve-words.ts';

/*
 * Started by disk-full.test.ts, which bounds the size of this process's files from outside: does what stdin says, a word a
 * line, and answers with one line of JSON each.
 */

const [folder = ''] = process.argv.slice(2);
const storage = await openStorage(folder, { stageTimeoutMs: 60_000 }, (cause) => { throw cause; });
await storage.ready;
const log = new SqliteEventLog(storage, storage.logFile, storage.endAtOpen);
const chain = new TaskChain({ paddingBytes: 20_000 });
const accepted: string[] = [];

async function append(): Promise<AppendOutcome['kind']> {
  const { canonical, outcome } = await chain.append(log);
  if (outcome.kind === 'accepted') accepted.push(hashCanonical(canonical));
  return outcome.kind;
}

async function fillUntil(stop: () => boolean): Promise<{ last: string; lagging: string | undefined }> {
  let last = 'accepted';
  while (last === 'accepted' && !stop()) last = await append();
  return { last, lagging: storage.lagging };
}

async function untilCaughtUp(): Promise<{ applied: string; lagging: string | undefined }> {
  // Asks for nothing: the storage has to come to it by itself.
  await storage.applied.reached(new Map([[0, BigInt(accepted.length)]]), AbortSignal.timeout(20_000));
  return { applied: String(storage.applied.position.get(0)), lagging: storage.lagging };
}

await serveWords({
  fillUntilLagging: () => fillUntil(() => storage.lagging !== undefined),
  fillUntilRefused: () => fillUntil(() => false),
  append,
  untilCaughtUp,
  accepted: async () => accepted,
});
await log.close();
await storage.close();
