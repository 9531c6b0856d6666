import type { BytesPool } from '../bytes/bytes-pool.ts';
import type { StagedResult } from '../bytes/staged-file.ts';
import { FailureError, failure } from '../domain/failures.ts';
import type { Wrapper } from '../formats/wrapper.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Receiver, SourceRequest, Sources, SourceStart } from '../sources/source.ts';
import type { ImageStore } from '../stores/image-store.ts';
import { takeOver } from './earlier-bytes.ts';
import { contentOf, sourceKey } from './fetch-checkpoint.ts';
import type { FetchCheckpoint } from './fetch-checkpoint.ts';
import { StageStoppedError } from './stage.ts';
import type { StageRun } from './stage.ts';
import { StagedTransfer } from './staged-transfer.ts';

/** What to fetch. */
export interface FetchInput {
  readonly source: SourceRequest;
  /** Of the image, without what it comes wrapped in. Unspecified: found out. */
  readonly sourceFormat: DiskFormat;
  /** Of the bytes as they are sent. "sha256:<hex>"; empty: none is expected. */
  readonly expectedDigest: string;
  /** Throws where all has come and is not what was to come; whether any of it is kept is then as for any failure. */
  readonly check?: (fetched: StagedResult) => void;
}

/** What was fetched; it lies durable in the attempt's staged file. */
export interface Fetched {
  readonly sizeBytes: number;
  /** "sha256:" and 64 lower-case hex digits. */
  readonly digest: string;
  /** What the image comes in, and has to be taken out of before it is judged. */
  readonly wrapper?: Wrapper;
  /** What the source said of it: `etag`, `last_modified`, `content_type`, `host`. */
  readonly facts: Readonly<Record<string, string>>;
}

/** What fetch works with. */
export interface FetchDeps {
  readonly pool: BytesPool;
  readonly store: ImageStore;
  readonly sources: Sources;
}

/** Failures after which what was fetched is of no use, though another attempt may succeed. */
const uselessAfter: ReadonlySet<string> = new Set(['REASON_SOURCE_CHANGED', 'REASON_STORE_FULL']);

/**
 * Carries the bytes of a source into the attempt's staged file, in one pass that also hashes them and judges their head: an
 * image that the head shows to be unfit cuts the transfer off. What an earlier attempt had fetched is proven and gone on with, where
 * the source still has the same content. Throws FailureError, or the signal's reason; what was staged then is removed, or kept with a
 * note beside it for the next attempt.
 */
export async function fetch(run: StageRun, deps: FetchDeps, input: FetchInput): Promise<Fetched> {
  run.signal.throwIfAborted();
  const cutOff = new AbortController();
  const { signal } = cutOff;
  const stop = (): void => cutOff.abort(run.signal.reason);
  run.signal.addEventListener('abort', stop, { once: true });
  let transfer: StagedTransfer | undefined;
  const open = (): StagedTransfer => (transfer = new StagedTransfer(run, deps, input.sourceFormat, (error) => cutOff.abort(error)));
  try {
    const source = sourceKey(input.source);
    const earlier = await takeOver(run, deps.store, source, open, signal);
    const receiver = new FetchReceiver(run, source, () => transfer ?? open());
    // All of it was there already: only what came after the fetch has failed.
    if (earlier !== undefined && earlier.lengthBytes === earlier.sizeBytes) receiver.begin({ offsetBytes: earlier.sizeBytes, ...earlier });
    else await deps.sources.read({ ...input.source, ...resumeOf(earlier) }, receiver, signal);
    const { facts, resumedFromBytes, transfer: filled } = receiver.ended();
    const staged = await filled.finish(signal);
    checkDigest(staged.digest, input.expectedDigest);
    input.check?.(staged);
    return { ...staged, facts: resumedFromBytes === 0 ? facts : { ...facts, resumed_from: String(resumedFromBytes) } };
  } catch (error) {
    const reason = error instanceof Error ? error : new Error('The fetch was stopped.', { cause: error });
    if (isOfUseAfter(error)) await transfer?.keep(reason);
    else await transfer?.discard(reason);
    throw error;
  } finally {
    run.signal.removeEventListener('abort', stop);
  }
}

/** Takes what the source sends. */
class FetchReceiver implements Receiver {
  readonly #run: StageRun;
  readonly #source: string;
  readonly #open: () => StagedTransfer;
  #begun: { readonly transfer: StagedTransfer; readonly start: SourceStart } | undefined;

  /** `open` gives the transfer that holds what was taken over, or a new one. */
  constructor(run: StageRun, source: string, open: () => StagedTransfer) {
    this.#run = run;
    this.#source = source;
    this.#open = open;
  }

  begin(start: SourceStart): void {
    const transfer = this.#open();
    if (start.offsetBytes === 0 && transfer.sizeBytes > 0) transfer.restart();
    if (start.offsetBytes !== transfer.sizeBytes) throw new Error('A source goes on where nobody had stopped.');
    transfer.describe(contentOf(this.#source, start));
    this.#begun = { transfer, start };
    this.#run.progress(start.offsetBytes, start.sizeBytes ?? 0);
  }

  receive(chunk: Uint8Array): Promise<void> | undefined {
    const { transfer, start } = this.#running();
    const taking = transfer.write(chunk);
    this.#run.progress(transfer.sizeBytes, start.sizeBytes ?? 0);
    return taking;
  }

  /** What it is, once all has come. */
  ended(): { readonly transfer: StagedTransfer; readonly facts: Readonly<Record<string, string>>; readonly resumedFromBytes: number } {
    const { transfer, start } = this.#running();
    return { transfer, facts: start.facts, resumedFromBytes: start.offsetBytes };
  }

  #running(): { readonly transfer: StagedTransfer; readonly start: SourceStart } {
    if (this.#begun === undefined) throw new Error('A source sent, or ended, without having begun.');
    return this.#begun;
  }
}

function resumeOf(earlier: FetchCheckpoint | undefined): Pick<SourceRequest, 'resume'> {
  if (earlier === undefined) return {};
  const { lengthBytes, sizeBytes, validators } = earlier;
  return { resume: { offsetBytes: lengthBytes, sizeBytes, validators } };
}

function isOfUseAfter(error: unknown): boolean {
  if (error instanceof StageStoppedError) return error.keepsStaged;
  return error instanceof FailureError && error.failure.retryable && !uselessAfter.has(error.failure.reason);
}

function checkDigest(digest: string, expected: string): void {
  if (expected === '' || digest === expected.toLowerCase()) return;
  const message = `The bytes received have the digest ${digest}, but ${expected.toLowerCase()} was expected.`;
  throw new FailureError(failure('DIGEST_MISMATCH', message, { expected: expected.toLowerCase(), actual: digest }));
}
