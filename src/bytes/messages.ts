import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { InspectionDepth } from '../formats/inspect.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import type { Verdict } from '../formats/verdict.ts';
import type { Wrapper } from '../formats/wrapper.ts';
import type { DecodeLimits } from './decode-limits.ts';
import type { SyncedPrefix } from './staged-file.ts';

/**
 * What the main thread asks of a pool thread. Commands of one turn of the event loop travel in one message, in order. The
 * `id` names a transfer or a job and is never used twice in the life of a pool.
 */
export type PoolCommand =
  /** Create `path`, which must not exist. `name` stands for it in failures. */
  | { readonly kind: 'open'; readonly id: number; readonly path: string; readonly name: string; readonly declared: DiskFormat }
  /** Append the first `sizeBytes` of the slot, then give the slot back. */
  | { readonly kind: 'data'; readonly id: number; readonly slot: number; readonly sizeBytes: number }
  /** Drop what has come: the bytes begin anew. */
  | { readonly kind: 'restart'; readonly id: number }
  /** Make what has come durable and say its digest; more may follow. */
  | { readonly kind: 'sync'; readonly id: number }
  /** All bytes have come: make them durable and say their digest. */
  | { readonly kind: 'finish'; readonly id: number }
  /** Close and remove the file, whether or not it is finished; give the job up. `path` is empty for a job. */
  | { readonly kind: 'abort'; readonly id: number; readonly path: string }
  /** Do a job on stored bytes. */
  | { readonly kind: 'run'; readonly id: number; readonly job: PoolJob };

/** Judge the stored bytes of `path`; `name` stands for it in failures. */
export interface InspectJob {
  readonly kind: 'inspect';
  readonly path: string;
  readonly name: string;
  /** What the bytes are said to be; unspecified: found out. */
  readonly declared: DiskFormat;
  /** A guest's disk may not be larger. */
  readonly maxVirtualBytes: bigint;
  readonly requireRecognisedRaw?: boolean;
  readonly depth: InspectionDepth;
}

/** Hash the stored bytes of `path`; `name` stands for it in failures. */
export interface DigestJob {
  readonly kind: 'digest';
  readonly path: string;
  readonly name: string;
}

/** Copy the stored bytes of `path` to `target`, which must not exist, durably; `name` stands for `path` in failures. */
export interface CopyJob {
  readonly kind: 'copy';
  readonly path: string;
  readonly name: string;
  readonly target: string;
}

/** Take the image in the stored bytes of `path` out of its wrapper, into a new file; `name` stands for `path` in failures. */
export interface DecodeJob extends DecodeLimits {
  readonly kind: 'decode';
  readonly path: string;
  readonly name: string;
  readonly wrapper: Wrapper;
  /** The file to create. It must not exist. */
  readonly target: { readonly path: string; readonly name: string };
  /** What the image is said to be; unspecified: found out. */
  readonly declared: DiskFormat;
}

/** Work on stored bytes that takes long, done in slices between those of the thread's transfers. */
export type PoolJob = InspectJob | DigestJob | CopyJob | DecodeJob;

/** How a transfer or a job ended. Each is sent once per `id`, after which the thread has forgotten it. */
export type PoolResult =
  | { readonly kind: 'finished'; readonly id: number; readonly sizeBytes: number; readonly digest: string; readonly wrapper?: Wrapper }
  /** The file of a transfer was closed and removed; data that is still under way for it is dropped. */
  | { readonly kind: 'failed'; readonly id: number; readonly failure: Failure }
  | { readonly kind: 'aborted'; readonly id: number }
  | { readonly kind: 'inspected'; readonly id: number; readonly verdict: Verdict }
  | {
      readonly kind: 'decoded';
      readonly id: number;
      readonly sizeBytes: number;
      readonly digest: string;
      readonly facts: Readonly<Record<string, string>>;
    }
  /** A bug, not a property of the bytes: what was thrown. */
  | { readonly kind: 'crashed'; readonly id: number; readonly error: string };

/** How far a job is; `bytesTotal` 0: unknown. */
export interface JobProgress {
  readonly id: number;
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** How much of a transfer has become durable. */
export interface TransferSync extends SyncedPrefix {
  readonly id: number;
  /** How often the transfer had been restarted when these bytes came. */
  readonly restarts: number;
  /** Whether that was asked for. */
  readonly asked: boolean;
}

/** What a pool thread answers: slots that it is done with, how far jobs are and transfers are durable, and results. */
export interface PoolReply {
  readonly freedSlots: readonly number[];
  readonly synced: readonly TransferSync[];
  readonly progress: readonly JobProgress[];
  readonly results: readonly PoolResult[];
}

/** What a pool thread is started with. */
export interface PoolThreadData {
  /** The slots, one behind the other. */
  readonly memory: SharedArrayBuffer;
  /** The size of each slot. */
  readonly slotBytes: number;
}
