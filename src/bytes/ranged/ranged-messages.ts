import type { InspectionDepth } from '../../formats/inspect.ts';
import type { Verdict } from '../../formats/verdict.ts';
import type { Wrapper } from '../../formats/wrapper.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';
import type { DiskFormat } from '../../gen/lehr/v1/disk_format.ts';

/** A verdict, and how deep the inspection went: `headers` where the tables would have taken too many reads. */
export interface RangedVerdict {
  readonly verdict: Verdict;
  readonly depth: InspectionDepth;
}

/** Of compressed content no more is fetched: a block of bzip2, the largest of any, has less than half of it. */
export const insideReadLimitBytes = 2 * 1024 * 1024;

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
  /** What the image comes in. Of what is compressed only the first bytes inside are judged. */
  readonly wrapper?: Wrapper;
}

/**
 * What an OVA shows. `refusal`: of the archive, or of the disk in it by its first bytes. Neither that nor `judged`: more could not be
 * told within the bounds, or nothing speaks against the first bytes of a disk that is compressed.
 */
export interface RangedArchive {
  readonly facts: Readonly<Record<string, string>>;
  readonly refusal?: Failure | undefined;
  readonly judged?: RangedVerdict;
}

/** What the thread says: it waits for a page, or is done. */
export type RangedMessage =
  | { readonly kind: 'page'; readonly offset: number; readonly lengthBytes: number }
  | ({ readonly kind: 'judged' } & RangedVerdict)
  | ({ readonly kind: 'unpacked' } & RangedArchive)
  /** What speaks against the first bytes inside. */
  | { readonly kind: 'begun'; readonly refusal: Failure | undefined };
