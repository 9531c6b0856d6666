import type { Piece } from '../../codecs/piece.ts';
import { FailureError } from '../../domain/failures.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import { storeFailure } from '../../stores/store-failure.ts';
import { checkDecoded } from '../decode-limits.ts';
import type { FlushGate } from '../flush-gate.ts';
import type { MemoryBudget } from '../memory-budget.ts';
import type { DecodeJob } from '../messages.ts';
import { StagedFile } from '../staged-file.ts';
import type { StagedResult } from '../staged-file.ts';
import type { JobContext } from './job-context.ts';
import { openStoredFile } from './stored-file.ts';
import { unwrap } from './unwrap.ts';

/** What a content was decoded to. */
export interface Decoded extends StagedResult {
  /** How it was wrapped: `codec`, and what else is worth keeping. */
  readonly facts: Readonly<Record<string, string>>;
}

/** What the decode jobs of a thread share. */
export interface DecodeRoom {
  readonly gate: FlushGate;
  readonly memory: MemoryBudget;
}

/**
 * Takes an image out of its wrapper into a file of its own, durably, as if it had been received so: written, hashed and its
 * head judged in one pass. Rejects with FailureError for content that is refused and where the store fails, and with
 * `JobAbortedError`; the new file is closed and removed then.
 */
export async function decodeJob(job: DecodeJob, context: JobContext, room: DecodeRoom): Promise<Decoded> {
  const file = openStoredFile(job.path, job.name);
  const share = room.memory.open();
  const target = createTarget(job, room.gate);
  try {
    const pieces = unwrap(job.wrapper, file, (bytes) => share.claim(bytes, context.signal));
    try {
      let decodedBytes = 0;
      for (;;) {
        const { done, value } = await pieces.next();
        target.throwIfFailed();
        if (done === true) return { ...(await target.finish()), facts: value };
        decodedBytes += value.bytes.length;
        checkDecoded(decodedBytes, value.inputBytes, job);
        target.append(value.bytes);
        const pause = context.pause(value.inputBytes, file.sizeBytes);
        if (pause !== undefined) await pause;
      }
    } finally {
      // Lets the decoder's memory go.
      await closePieces(pieces);
    }
  } catch (error) {
    await target.abort();
    throw error;
  } finally {
    share.release();
    file.close();
  }
}

async function closePieces(pieces: AsyncGenerator<Piece, unknown, undefined>): Promise<void> {
  await pieces.return(undefined).catch(() => undefined);
}

interface Target {
  append(bytes: Uint8Array): void;
  /** What the file's failure was, if it has failed; it is removed by then. */
  throwIfFailed(): void;
  finish(): Promise<StagedResult>;
  abort(): Promise<void>;
}

function createTarget({ target: { path, name }, declared }: DecodeJob, gate: FlushGate): Target {
  let failed: FailureError | undefined;
  const ended = Promise.withResolvers<StagedResult>();
  ended.promise.catch(() => undefined);
  const onFailure = (failure: Failure): void => {
    failed = new FailureError(failure);
    ended.reject(failed);
  };
  const file = openTarget(() => new StagedFile({ path, name, declared, gate, onFailure, wrapping: 'unwrapped' }), name);
  return {
    append: (bytes) => file.append(bytes),
    throwIfFailed() {
      if (failed !== undefined) throw failed;
    },
    finish() {
      file.finish(ended.resolve);
      return ended.promise;
    },
    abort: async () => failed === undefined ? new Promise((resolve) => file.abort(resolve)) : undefined,
  };
}

function openTarget(create: () => StagedFile, name: string): StagedFile {
  try {
    return create();
  } catch (error) {
    throw new FailureError(storeFailure(error, name, 0), { cause: error });
  }
}
