import type { BytesPool } from '../bytes/bytes-pool.ts';
import type { Sink } from '../bytes/sink.ts';
import type { StagedResult } from '../bytes/staged-file.ts';
import { FailureError, failure } from '../domain/failures.ts';
import type { Wrapper } from '../formats/wrapper.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Receiver, SourceRequest, Sources } from '../sources/source.ts';
import type { ImageStore } from '../stores/image-store.ts';
import type { StageRun } from './stage.ts';

/** What to fetch. */
export interface FetchInput {
  readonly source: SourceRequest;
  /** Of the image, without what it comes wrapped in. Unspecified: found out. */
  readonly sourceFormat: DiskFormat;
  /** Of the bytes as they are sent. "sha256:<hex>"; empty: none is expected. */
  readonly expectedDigest: string;
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

/**
 * Carries the bytes of a source into the attempt's staged file, in one pass that also hashes them and judges their head: an
 * image that the head shows to be unfit cuts the transfer off. Throws FailureError, or the signal's reason; what was staged
 * is removed by whoever ends the attempt.
 */
export async function fetch(run: StageRun, deps: FetchDeps, input: FetchInput): Promise<Fetched> {
  run.signal.throwIfAborted();
  const cutOff = new AbortController();
  const stop = (): void => cutOff.abort(run.signal.reason);
  run.signal.addEventListener('abort', stop, { once: true });
  let sink: Sink | undefined;
  try {
    let facts: Readonly<Record<string, string>> = {};
    let bytesDone = 0;
    let bytesTotal = 0;
    const receiver: Receiver = {
      begin(start) {
        facts = start.facts;
        bytesTotal = start.sizeBytes ?? 0;
        sink = deps.pool.openSink({
          ...deps.store.stagedFile(run.taskId, run.attempt, 'fetched'),
          declared: input.sourceFormat,
          onFailure: (error) => cutOff.abort(error),
        });
        run.progress(0, bytesTotal);
      },
      receive(chunk) {
        bytesDone += chunk.length;
        run.progress(bytesDone, bytesTotal);
        return sink?.write(chunk);
      },
    };
    await deps.sources.read(input.source, receiver, cutOff.signal);
    const staged = await finish(sink, cutOff.signal);
    checkDigest(staged.digest, input.expectedDigest);
    return { ...staged, facts };
  } catch (error) {
    // The staged file is removed in its own time: a cancel does not wait for a flush that is under way.
    void sink?.abort(error instanceof Error ? error : new Error('The fetch was stopped.', { cause: error }));
    throw error;
  } finally {
    run.signal.removeEventListener('abort', stop);
  }
}

async function finish(sink: Sink | undefined, signal: AbortSignal): Promise<StagedResult> {
  if (sink === undefined) throw new Error('A source ended without having begun.');
  const stop = (): void => void sink.abort(signal.reason as Error);
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    return await sink.finish();
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function checkDigest(digest: string, expected: string): void {
  if (expected === '' || digest === expected.toLowerCase()) return;
  const message = `The bytes received have the digest ${digest}, but ${expected.toLowerCase()} was expected.`;
  throw new FailureError(failure('DIGEST_MISMATCH', message, { expected: expected.toLowerCase(), actual: digest }));
}
