import { Worker } from 'node:worker_threads';
import type { StreamCodec } from '../../formats/wrapper.ts';
import type { DiskFormat } from '../../gen/lehr/v1/disk_format.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import { threadHeapMiB, threadYoungHeapMiB } from '../bounds.ts';
import { insideReadLimitBytes, pageStates, rangePageBytes } from './ranged-messages.ts';
import type { RangedArchive, RangedMessage, RangedThreadData, RangedVerdict } from './ranged-messages.ts';

/** Bytes that are elsewhere and of which any part can be had. */
export interface RangedBytes {
  readonly sizeBytes: number;
  /** All of the bytes asked for, which lie inside. */
  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array>;
}

/** What to judge them by. */
export interface RangedInspection {
  /** Unspecified: found out. */
  readonly declared: DiskFormat;
  /** A guest's disk may not be larger. */
  readonly maxVirtualBytes: bigint;
  readonly requireRecognisedRaw?: boolean;
}

/** No inspection fetches more than so many bytes: the tables of a qcow2 of 2 TiB, page by page. */
export const rangedReadLimitBytes = 256 * 1024 * 1024;

/**
 * Judges bytes that are elsewhere (headers, tables and the beginning of the guest's disk) by reading only what the inspection needs.
 * Rejects with what `bytes.read` rejected with, or the signal's reason. The thread that it takes is gone when it settles.
 */
export async function inspectRanged(bytes: RangedBytes, inspection: RangedInspection, signal: AbortSignal): Promise<RangedVerdict> {
  const answer = await ask(bytes, { ...inspection, pageLimit: Math.ceil(rangedReadLimitBytes / rangePageBytes) }, signal);
  if (answer.kind !== 'judged') throw otherAnswer(answer);
  return { verdict: answer.verdict, depth: answer.depth };
}

/** What speaks against the first bytes inside compressed content that is elsewhere: `inspectInside`. Rejects as `inspectRanged` does. */
export async function inspectRangedInside(
  bytes: RangedBytes, codec: StreamCodec, declared: DiskFormat, signal: AbortSignal,
): Promise<Failure | undefined> {
  const pageLimit = Math.ceil(insideReadLimitBytes / rangePageBytes);
  const answer = await ask(bytes, { declared, wrapper: codec, pageLimit, maxVirtualBytes: 0n }, signal);
  if (answer.kind !== 'begun') throw otherAnswer(answer);
  return answer.refusal;
}

/**
 * Judges an OVA that is elsewhere: its members and its descriptor as `readOva` does, and then its one disk as `inspectRanged` does, but
 * for a disk that is compressed, of which the first bytes inside are. The manifest, which counts every byte, is not verified; the fact
 * `manifest` says so where there is one. Rejects as `inspectRanged` does.
 */
export async function inspectRangedOva(bytes: RangedBytes, inspection: RangedInspection, signal: AbortSignal): Promise<RangedArchive> {
  const answer = await ask(bytes, { ...inspection, wrapper: 'ova', pageLimit: Math.ceil(rangedReadLimitBytes / rangePageBytes) }, signal);
  if (answer.kind !== 'unpacked') throw otherAnswer(answer);
  return answer;
}

function otherAnswer({ kind }: Answer): Error {
  return new Error(`An inspection answered "${kind}", which is the answer to another question.`);
}

type Answer = Exclude<RangedMessage, { kind: 'page' }>;

async function ask(bytes: RangedBytes, wanted: Omit<RangedThreadData, 'control' | 'page' | 'sizeBytes'>, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const control = new SharedArrayBuffer(8);
  const page = new SharedArrayBuffer(rangePageBytes);
  const worker = startThread({ control, page, sizeBytes: bytes.sizeBytes, ...wanted });
  const settled = Promise.withResolvers<Answer>();
  const stop = (): void => settled.reject(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  worker.on('error', settled.reject);
  worker.on('exit', () => settled.reject(new Error('The inspection ended without a verdict.')));
  worker.on('message', (message: RangedMessage) => {
    if (message.kind !== 'page') return settled.resolve(message);
    bytes.read(message.offset, message.lengthBytes, signal).then((read) => {
      new Uint8Array(page).set(read);
      const state = new Int32Array(control);
      Atomics.store(state, 1, read.length);
      Atomics.store(state, 0, read.length === message.lengthBytes ? pageStates.filled : pageStates.failed);
      Atomics.notify(state, 0);
    }).catch(settled.reject);
  });
  try {
    return await settled.promise;
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}

/** Starts the thread from this folder, as it is in the source tree (.ts) or as it is published (.js). */
function startThread(data: RangedThreadData): Worker {
  const file = import.meta.url.endsWith('.ts') ? './ranged-thread.ts' : './ranged-thread.js';
  return new Worker(new URL(file, import.meta.url), {
    name: 'inspection',
    workerData: data,
    resourceLimits: { maxOldGenerationSizeMb: threadHeapMiB, maxYoungGenerationSizeMb: threadYoungHeapMiB },
  });
}
