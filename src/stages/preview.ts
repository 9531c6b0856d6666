import { inspectRanged, inspectRangedInside, inspectRangedOva } from '../bytes/ranged/inspect-ranged.ts';
import type { RangedVerdict } from '../bytes/ranged/ranged-messages.ts';
import { failure, FailureError } from '../domain/failures.ts';
import { headBytes, inspectWrappedHead } from '../formats/inspect-head.ts';
import type { Verdict } from '../formats/verdict.ts';
import type { StreamCodec } from '../formats/wrapper.ts';
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
 * guest's disk, or the head alone where the source gives no ranges. Of what is compressed the first bytes inside are judged, and of
 * an OVA its members and its disk, but not its manifest. What speaks against the import is in the answer; rejects with the signal's
 * reason only.
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
  const early = await judgeHead(head, sizeBytes, input.declared, (codec) => inspectRangedInside(ranged, codec, input.declared, signal));
  if (early?.facts['codec'] === 'ova') return await judgeOva(ranged, early, input, signal);
  return early ?? told(await inspectRanged(ranged, input, signal), sizeBytes, {});
}

async function judgeOva(ranged: RangedSource, early: Preview, input: PreviewInput, signal: AbortSignal): Promise<Preview> {
  const found = await inspectRangedOva(ranged, input, signal);
  const facts = { ...early.facts, ...found.facts };
  return found.judged === undefined ? { ...early, facts, failure: found.refusal } : told(found.judged, ranged.sizeBytes, facts);
}

/** `facts`: what is known beside those of the image. */
function told({ verdict, depth }: RangedVerdict, sizeBytes: number, facts: Preview['facts']): Preview {
  const judged = { depth: depth === 'headers' ? 'headers' : 'tables', sizeBytes } as const;
  if (verdict.kind === 'refused') return { ...judged, facts, failure: verdict.failure, verdict: undefined };
  return { ...judged, facts: { ...facts, ...verdict.facts }, failure: undefined, verdict };
}

/** What speaks against the first bytes inside compressed content. */
type JudgeInside = (codec: StreamCodec) => Promise<Failure | undefined>;

/** An answer where the first bytes give one: a refusal, or content of which no more is judged, since it is to be unwrapped. */
async function judgeHead(
  head: Uint8Array, sizeBytes: number, declared: DiskFormat, judgeInside: JudgeInside,
): Promise<Preview | undefined> {
  const found = inspectWrappedHead(head, declared);
  const judged = { depth: 'head', sizeBytes, verdict: undefined } as const;
  if ('refusal' in found) return { ...judged, facts: {}, failure: found.refusal };
  const { wrapper } = found;
  if (wrapper === undefined) return undefined;
  // The end of an archive is not here.
  return { ...judged, facts: { codec: wrapper }, failure: wrapper === 'ova' ? undefined : await judgeInside(wrapper) };
}

/** Ends the reading of a source of which enough has come. */
class EnoughError extends Error {}

async function judgeBeginning(sources: Sources, input: PreviewInput, signal: AbortSignal): Promise<Preview> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  let doneBytes = 0;
  let isWhole = false;
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
    isWhole = true;
    sizeBytes = doneBytes;
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof EnoughError)) return unread(error);
  }
  const head = Buffer.concat(pieces).subarray(0, headBytes);
  const judgeInside = (codec: StreamCodec): Promise<Failure | undefined> =>
    judgeInsideHead(head, isWhole ? head.length : Math.max(sizeBytes, head.length + 1), codec, input.declared, signal);
  return await judgeHead(head, sizeBytes, input.declared, judgeInside) ?? { depth: 'head', sizeBytes, facts: {}, failure: undefined, verdict: undefined };
}

/** What the head alone shows; the end of it says nothing where the content is larger. */
async function judgeInsideHead(
  head: Uint8Array, sizeBytes: number, codec: StreamCodec, declared: DiskFormat, signal: AbortSignal,
): Promise<Failure | undefined> {
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    if (offset + length > head.length) throw new EnoughError('No more than the head has come.');
    return head.subarray(offset, offset + length);
  };
  try {
    return await inspectRangedInside({ sizeBytes, read }, codec, declared, signal);
  } catch (error) {
    if (error instanceof EnoughError) return undefined;
    throw error;
  }
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
