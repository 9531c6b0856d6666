import { parentPort, workerData } from 'node:worker_threads';
import { findOvaDisk } from '../../archives/ova.ts';
import type { FoundOvaDisk, OvaDisk } from '../../archives/ova.ts';
import { headBytes, inspectUnwrappedHead } from '../../formats/inspect-head.ts';
import { inspect } from '../../formats/inspect.ts';
import type { ByteReader } from '../../formats/reading/byte-reader.ts';
import { partOf } from '../../formats/reading/part-of.ts';
import { ImageRefusedError } from '../../formats/refuse.ts';
import type { StreamCodec } from '../../formats/wrapper.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import { inspectInside } from './inspect-inside.ts';
import { PagedFile, PageLimitError } from './paged-file.ts';
import { insideReadLimitBytes } from './ranged-messages.ts';
import type { RangedMessage, RangedThreadData, RangedVerdict } from './ranged-messages.ts';

/*
 * A thread of its own for one inspection of bytes that are elsewhere, since inspectors read synchronously.
 */

const data = workerData as RangedThreadData;
const { declared, wrapper, ...limits } = data;
const port = parentPort;
if (port === null) throw new Error('This module is the entry of a worker thread.');
const file = new PagedFile(data, send);

function send(message: RangedMessage): void {
  port?.postMessage(message);
}

function judge(image: ByteReader): RangedVerdict {
  const headers = inspect(image, declared, limits, 'headers');
  if (headers.kind === 'refused') return { verdict: headers, depth: 'content' };
  try {
    return { verdict: inspect(image, declared, limits, 'content'), depth: 'content' };
  } catch (error) {
    // Tables that would take too long to fetch are left to the import.
    if (!(error instanceof PageLimitError)) throw error;
    return { verdict: headers, depth: 'headers' };
  }
}

async function judgeBeginning(content: ByteReader, codec: StreamCodec): Promise<Failure | undefined> {
  try {
    return await inspectInside(content, codec, declared);
  } catch (error) {
    // A first block that is as large is left to the import; a decoder may have made another error of it.
    if (!file.isExhausted) throw error;
    return undefined;
  }
}

type Unpacked = Extract<RangedMessage, { kind: 'unpacked' }>;

/** What the archive shows, then the disk in it. Whatever would take too long to fetch is left to the import. */
async function judgeArchive(): Promise<Unpacked> {
  let facts: Unpacked['facts'] = {};
  try {
    const { disk, manifest } = findDisk();
    facts = { ...disk.facts, ...(manifest === undefined ? {} : { manifest: 'not verified' }) };
    return { kind: 'unpacked', facts, ...(await judgeDisk(disk)) };
  } catch (error) {
    if (error instanceof ImageRefusedError) return { kind: 'unpacked', facts, refusal: error.failure };
    if (error instanceof PageLimitError) return { kind: 'unpacked', facts };
    throw error;
  }
}

function findDisk(): FoundOvaDisk {
  const steps = findOvaDisk(file);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

async function judgeDisk({ offset, sizeBytes, isGzip }: OvaDisk): Promise<Pick<Unpacked, 'refusal' | 'judged'>> {
  const disk = partOf(file, offset, sizeBytes);
  if (isGzip) {
    file.limitTo(insideReadLimitBytes);
    return { refusal: await judgeBeginning(disk, 'gzip') };
  }
  const refusal = inspectUnwrappedHead(disk.read(0, headBytes), declared);
  return refusal === undefined ? { judged: judge(disk) } : { refusal };
}

if (wrapper === undefined) send({ kind: 'judged', ...judge(file) });
else if (wrapper === 'ova') send(await judgeArchive());
else send({ kind: 'begun', refusal: await judgeBeginning(file, wrapper) });
