import type { InspectionDepth } from '../../formats/inspect.ts';
import type { Verdict } from '../../formats/verdict.ts';
import type { StreamCodec } from '../../formats/wrapper.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import type { DiskFormat } from '../../gen/lehr/v1/disk_format.ts';

/** What is read at once: so much of an inspection's memory is shared with the thread that fetches. */
export const rangePageBytes = 64 * 1024;

/** Pages that an inspection remembers: tables are gone through in order, and twice. */
export const rangePagesKept = 32;

/** The states of a request for a page, in the first element of `control`. */
export const pageStates = { wanted: 0, filled: 1, failed: 2 } as const;

/** What the thread is started with. */
export interface RangedThreadData {
  /** Two elements: the state, and how many bytes the page has. */
  readonly control: SharedArrayBuffer;
  readonly page: SharedArrayBuffer;
  readonly sizeBytes: number;
  readonly declared: DiskFormat;
  readonly maxVirtualBytes: bigint;
  readonly requireRecognisedRaw?: boolean;
  /** No more pages are asked for. */
  readonly pageLimit: number;
  /** What the bytes are compressed by, where only the first ones inside are judged. */
  readonly codec?: StreamCodec;
}

/** What the thread says: it waits for a page, or is done. */
export type RangedMessage =
  | { readonly kind: 'page'; readonly offset: number; readonly lengthBytes: number }
  | { readonly kind: 'judged'; readonly verdict: Verdict; readonly depth: InspectionDepth }
  /** What speaks against the first bytes inside. */
  | { readonly kind: 'begun'; readonly refusal: Failure | undefined };
