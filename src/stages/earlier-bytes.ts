import { slotBytes } from '../bytes/bounds.ts';
import type { ImageStore } from '../stores/image-store.ts';
import { checkpointOf } from './fetch-checkpoint.ts';
import type { FetchCheckpoint } from './fetch-checkpoint.ts';
import type { StageRun } from './stage.ts';
import type { StagedTransfer } from './staged-transfer.ts';

/** What an earlier attempt of the task has fetched of the same source. */
interface Earlier {
  readonly attempt: number;
  readonly checkpoint: FetchCheckpoint;
}

/**
 * Takes over what an earlier attempt had fetched of the same source: copies it into this attempt's file, proves it by its digest, and
 * removes it. Answers with how far that came and of what content; undefined where there is nothing, or nothing sound. What earlier
 * attempts had staged is gone afterwards. Rejects with the signal's reason, and where the attempt's own file fails.
 */
export async function takeOver(
  run: StageRun, store: ImageStore, source: string, open: () => StagedTransfer, signal: AbortSignal,
): Promise<FetchCheckpoint | undefined> {
  if (run.attempt === 1) return undefined;
  const earlier = await findEarlier(run, store, source);
  await discardEarlier(run, store, earlier.map(({ attempt }) => attempt));
  signal.throwIfAborted();
  if (earlier.length === 0) return undefined;
  const sound = await takeFirstSound(run, store, earlier, open(), signal);
  await discardEarlier(run, store, []);
  return sound;
}

async function takeFirstSound(
  run: StageRun, store: ImageStore, all: readonly Earlier[], transfer: StagedTransfer, signal: AbortSignal,
): Promise<FetchCheckpoint | undefined> {
  for (const earlier of all) {
    const { checkpoint } = earlier;
    const isCopied = await copy(run, store, earlier, transfer, signal);
    const synced = isCopied ? await transfer.sync(signal) : undefined;
    if (synced?.digest === checkpoint.digest) {
      transfer.describe(checkpoint);
      // From here on a crash costs nothing of it.
      await transfer.noteDown(synced);
      return checkpoint;
    }
    transfer.restart();
  }
  return undefined;
}

/**
 * The longest first, and only those whose file is there with as much: an attempt that was replaced, unknowing, may leave a note after its
 * file was taken over. Notes that cannot be read are none: all of it can be fetched again.
 */
async function findEarlier({ taskId, attempt }: StageRun, store: ImageStore, source: string): Promise<readonly Earlier[]> {
  const notes = await store.readNotes(taskId, attempt).catch(() => []);
  const found = await Promise.all(notes.map(async (note): Promise<readonly Earlier[]> => {
    const checkpoint = checkpointOf(note.text);
    if (checkpoint?.source !== source || await sizeOf(taskId, note.attempt, store) < checkpoint.lengthBytes) return [];
    return [{ attempt: note.attempt, checkpoint }];
  }));
  return found.flat().toSorted((one, other) => other.checkpoint.lengthBytes - one.checkpoint.lengthBytes);
}

/** -1 where the file cannot be opened. */
async function sizeOf(taskId: string, attempt: number, store: ImageStore): Promise<number> {
  const file = await store.openPart(taskId, attempt, 'fetched').catch(() => undefined);
  await file?.close();
  return file?.sizeBytes ?? -1;
}

/** What cannot be removed now goes with the task. */
async function discardEarlier({ taskId, attempt }: StageRun, store: ImageStore, kept: readonly number[]): Promise<void> {
  await store.discardEarlier(taskId, attempt, kept).catch(() => undefined);
}

/** Whether there was as much as the checkpoint says. More is not read: an attempt that was declared dead may still write it. */
async function copy(
  run: StageRun, store: ImageStore, { attempt, checkpoint }: Earlier, transfer: StagedTransfer, signal: AbortSignal,
): Promise<boolean> {
  const file = await store.openPart(run.taskId, attempt, 'fetched').catch(() => undefined);
  if (file === undefined) return false;
  const buffer = Buffer.allocUnsafeSlow(slotBytes);
  try {
    for (let at = 0; at < checkpoint.lengthBytes; ) {
      const wanted = buffer.subarray(0, Math.min(buffer.length, checkpoint.lengthBytes - at));
      const count = await file.read(wanted, at).catch(() => 0);
      signal.throwIfAborted();
      if (count === 0) return false;
      at += count;
      const taking = transfer.write(wanted.subarray(0, count));
      if (taking !== undefined) await taking;
      run.progress(at, checkpoint.sizeBytes);
    }
    return true;
  } finally {
    await file.close();
  }
}
