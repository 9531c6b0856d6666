import type { BytesPool } from '../bytes/bytes-pool.ts';
import { failure, FailureError } from '../domain/failures.ts';
import type { Verdict } from '../formats/verdict.ts';
import type { Compression, DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { StagedPart } from '../stores/image-store.ts';
import { convert, type ConvertDeps } from './convert.ts';
import type { Accepted } from './inspect.ts';
import type { StageRun } from './stage.ts';

/** What to convert. */
export interface ConvertVerifiedInput {
  /** Which of the attempt's files. */
  readonly from: StagedPart;
  /** What inspection found there. */
  readonly original: Accepted;
  readonly targetFormat: DiskFormat;
  /** How to compress a qcow2; absent: not at all. */
  readonly compression?: Compression;
}

/** The converted file, and what inspection found in it. */
export interface Converted {
  readonly sizeBytes: number;
  /** "sha256:" and 64 lower-case hex digits. */
  readonly digest: string;
  readonly verdict: Accepted;
}

/** What this stage works with. */
export interface ConvertVerifiedDeps extends ConvertDeps {
  readonly pool: BytesPool;
  /** The largest image that is taken, in bytes. */
  readonly maxImageBytes: number;
  /** The largest guest disk that is taken, in bytes. */
  readonly maxVirtualBytes: bigint;
}

/**
 * Converts a file of the attempt and proves that the result is the same disk: it is inspected as if it had been sent, and its guest
 * digest is that of the original. The disk may have grown, since some formats round its size up; what is new reads as zeros
 * (the digest says so). Throws what `convert` throws, and CONVERSION_FAILED where the result is another disk.
 */
export async function convertVerified(run: StageRun, deps: ConvertVerifiedDeps, input: ConvertVerifiedInput): Promise<Converted> {
  const { from, original, targetFormat, compression } = input;
  const { virtualSizeBytes, format: sourceFormat } = original;
  const [converting, verifying] = halvesOf(run, Number(virtualSizeBytes));
  await convert(converting, deps, { from, sourceFormat, targetFormat, compression, virtualSizeBytes, maxBytes: deps.maxImageBytes });
  // What is borrowed takes no room of its own, and may still be read.
  if (from !== 'borrowed') await deps.store.discardPart(run.taskId, run.attempt, from);
  const { path, name } = deps.store.stagedFile(run.taskId, run.attempt, 'converted');
  const quiet = { signal: run.signal, progress: () => undefined };
  const [verdict, { sizeBytes, digest }] = await Promise.all([
    deps.pool.inspect({ path, name, declared: targetFormat, maxVirtualBytes: deps.maxVirtualBytes, depth: 'guest' }, verifying),
    deps.pool.digest({ path, name }, quiet),
  ]);
  return { sizeBytes, digest, verdict: sameDisk(original, verdict) };
}

/** The disk is gone through twice, once by qemu-img and once by us: to whoever watches, the second half of one way. */
function halvesOf(run: StageRun, diskBytes: number): readonly [StageRun, StageRun] {
  const half = (before: number): StageRun => ({
    ...run,
    progress: (bytesDone, bytesTotal) => {
      const share = bytesTotal === 0 ? 0 : Math.min(bytesDone / bytesTotal, 1);
      run.progress(before + Math.floor(diskBytes * share), 2 * diskBytes);
    },
  });
  return [half(0), half(diskBytes)];
}

function sameDisk(original: Accepted, result: Verdict): Accepted {
  if (result.kind === 'refused') {
    const { message, metadata } = result.failure;
    throw new FailureError(failure('CONVERSION_FAILED', `What the conversion made is refused. ${message}`, { ...metadata }));
  }
  const isWhole = result.virtualSizeBytes >= original.virtualSizeBytes;
  if (isWhole && result.guestDigest === original.guestDigest) return result;
  const message = isWhole
    ? 'The conversion made another disk than it was given: the guest digests differ. Ask for no other format than the image has.'
    : `The conversion cut the disk from ${original.virtualSizeBytes} bytes to ${result.virtualSizeBytes}. Ask for no other format than the image has.`;
  throw new FailureError(failure('CONVERSION_FAILED', message, {
    expected: original.guestDigest, actual: result.guestDigest,
    virtual_size_expected: String(original.virtualSizeBytes), virtual_size_actual: String(result.virtualSizeBytes),
  }));
}
