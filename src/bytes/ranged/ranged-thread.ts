import { parentPort, workerData } from 'node:worker_threads';
import type { ByteReader } from '../../formats/reading/byte-reader.ts';
import { inspect } from '../../formats/inspect.ts';
import type { StreamCodec } from '../../formats/wrapper.ts';
import { inspectInside } from './inspect-inside.ts';
import { pageStates, rangePageBytes, rangePagesKept } from './ranged-messages.ts';
import type { RangedMessage, RangedThreadData } from './ranged-messages.ts';

/*
 * A thread of its own for one inspection of bytes that are elsewhere. Inspectors read synchronously: so this thread sleeps
 * while the main thread fetches the page that it wants.
 */

const { control, page, sizeBytes, declared, pageLimit, codec, ...limits } = workerData as RangedThreadData;
const port = parentPort;
if (port === null) throw new Error('This module is the entry of a worker thread.');
const state = new Int32Array(control);
const shared = new Uint8Array(page);
const pages = new Map<number, Uint8Array>();
let asked = 0;

class PageLimitError extends Error {}

function send(message: RangedMessage): void {
  port?.postMessage(message);
}

function pageAt(index: number): Uint8Array {
  const known = pages.get(index);
  if (known !== undefined) return known;
  asked += 1;
  if (asked > pageLimit) throw new PageLimitError();
  Atomics.store(state, 0, pageStates.wanted);
  const offset = index * rangePageBytes;
  send({ kind: 'page', offset, lengthBytes: Math.min(rangePageBytes, sizeBytes - offset) });
  Atomics.wait(state, 0, pageStates.wanted);
  // The main thread has the error, and ends this one.
  if (Atomics.load(state, 0) === pageStates.failed) throw new Error('A page could not be had.');
  const bytes = shared.slice(0, Atomics.load(state, 1));
  pages.set(index, bytes);
  const [oldest] = pages.keys();
  if (pages.size > rangePagesKept && oldest !== undefined) pages.delete(oldest);
  return bytes;
}

const file: ByteReader = {
  sizeBytes,
  read(offset, length) {
    const bytes = Buffer.alloc(Math.min(length, Math.max(0, sizeBytes - offset)));
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((offset + done) / rangePageBytes);
      const part = pageAt(index).subarray(offset + done - index * rangePageBytes, offset + bytes.length - index * rangePageBytes);
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  },
};

function judge(): RangedMessage {
  const headers = inspect(file, declared, limits, 'headers');
  if (headers.kind === 'refused') return { kind: 'judged', verdict: headers, depth: 'content' };
  try {
    return { kind: 'judged', verdict: inspect(file, declared, limits, 'content'), depth: 'content' };
  } catch (error) {
    // Tables that would take too long to fetch are left to the import.
    if (!(error instanceof PageLimitError)) throw error;
    return { kind: 'judged', verdict: headers, depth: 'headers' };
  }
}

async function judgeBeginning(of: StreamCodec): Promise<RangedMessage> {
  try {
    return { kind: 'begun', refusal: await inspectInside(file, of, declared) };
  } catch (error) {
    // A first block that is as large is left to the import; a decoder may have made another error of it.
    if (asked <= pageLimit) throw error;
    return { kind: 'begun', refusal: undefined };
  }
}

send(codec === undefined ? judge() : await judgeBeginning(codec));
