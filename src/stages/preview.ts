import { inspectRanged } from '../bytes/ranged/inspect-ranged.ts';
import { failure, FailureError } from '../domain/failures.ts';
import { headBytes, inspectWrappedHead } from '../formats/inspect-head.ts';
import type { Verdict } from '../formats/verdict.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import { RangesUnsupportedError } from '../sources/source.ts';
import type { RangedSource, SourceRequest, Sources } from '../sources/source.ts';

/** What to look at. */
export interface PreviewInput {
  readonly source: SourceRequest;
  /** Unspecified: found out. */
  readonly declared: DiskFormat;
  /** A guest's disk may not be larger. */
  readonly maxVirtualBytes: bigint;
  /** A raw disk on which nothing is recognised is refused. */
  readonly requireRecognisedRaw: boolean;
}

/**
 * What an import would find at this moment. `depth`: `none` where the source cannot be read, `head` where only its first bytes
 * can be judged, `headers` where the tables would have taken too many reads, `tables` where all but the guest's data was judged.
 * `sizeBytes` 0: unknown. `verdict` is undefined where nothing speaks against the head, and with a `failure` of the source.
 */
export interface Preview {
  readonly depth: 'none' | 'head' | 'headers' | 'tables';
  readonly sizeBytes: number;
  readonly facts: Readonly<Record<string, string>>;
  readonly failure: Failure | undefined;
  readonly verdict: Extract<Verdict, { kind: 'accepted' }> | undefined;
}

/**
 * Looks at a source as an import would, and reads only the parts that tell: headers, footers, tables and the beginning of the
 * guest's disk, or the head alone where the source gives no ranges or is compressed. What speaks against the import is in the answer;
 * rejects with the signal's reason only.
 */
export async function preview(sources: Sources, input: PreviewInput, signal: AbortSignal): Promise<Preview> {
  try {
    const ranged = await sources.openRanges(input.source, signal);
    try {
      return await judgeRanges(ranged, input, signal);
    } finally {
      await ranged.close();
    }
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof RangesUnsupportedError) return await judgeBeginning(sources, input, signal);
    return unread(error);
  }
}

async function judgeRanges(ranged: RangedSource, input: PreviewInput, signal: AbortSignal): Promise<Preview> {
  const { sizeBytes } = ranged;
  const head = await ranged.read(0, Math.min(headBytes, sizeBytes), signal);
  const early = judgeHead(head, sizeBytes, input);
  if (early !== undefined) return early;
  const { verdict, depth } = await inspectRanged(ranged, input, signal);
  const judged = { depth: depth === 'headers' ? 'headers' : 'tables', sizeBytes } as const;
  if (verdict.kind === 'refused') return { ...judged, facts: {}, failure: verdict.failure, verdict: undefined };
  return { ...judged, facts: verdict.facts, failure: undefined, verdict };
}

/** An answer where the head alone gives one: a refusal, or content that can be judged only once it is unwrapped. */
function judgeHead(head: Uint8Array, sizeBytes: number, { declared }: PreviewInput): Preview | undefined {
  const found = inspectWrappedHead(head, declared);
  const judged = { depth: 'head', sizeBytes, verdict: undefined } as const;
  if ('refusal' in found) return { ...judged, facts: {}, failure: found.refusal };
  return found.wrapper === undefined ? undefined : { ...judged, facts: { codec: found.wrapper }, failure: undefined };
}

/** Ends the reading of a source of which enough has come. */
class EnoughError extends Error {}

async function judgeBeginning(sources: Sources, input: PreviewInput, signal: AbortSignal): Promise<Preview> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  let doneBytes = 0;
  try {
    await sources.read(input.source, {
      begin(start) {
        sizeBytes = start.sizeBytes ?? 0;
      },
      receive(chunk) {
        pieces.push(Buffer.from(chunk));
        doneBytes += chunk.length;
        if (doneBytes >= headBytes) throw new EnoughError('The head has come.');
        return undefined;
      },
    }, signal);
    sizeBytes = doneBytes;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof EnoughError)) return unread(error);
  }
  return judgeHead(Buffer.concat(pieces).subarray(0, headBytes), sizeBytes, input)
    ?? { depth: 'head', sizeBytes, facts: {}, failure: undefined, verdict: undefined };
}

function unread(error: unknown): Preview {
  if (!(error instanceof FailureError)) throw error;
  return { depth: 'none', sizeBytes: 0, facts: {}, failure: error.failure, verdict: undefined };
}

/** The failure of a preview that took longer than `seconds`. */
export function previewTooSlow(seconds: number): FailureError {
  const message = `The source could not be looked at within ${seconds} s. An import may take longer; try it, or try again later.`;
  return new FailureError(failure('SOURCE_TOO_SLOW', message, { timeout_seconds: String(seconds) }));
}
