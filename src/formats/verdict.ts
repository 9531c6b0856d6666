import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';

/**
 * What inspection says of an image.
 *
 * `accepted`: `format` is what the content is, never unspecified; `virtualSizeBytes` is the size of the guest's disk, above
 * zero and within the limit; `warnings` are names of `warning-table.ts`; `facts` are a few details worth keeping, in
 * printable ASCII, such as `cluster_bytes`; `guestDigest` is "sha256:" and 64 lower-case hex digits, the same for every format
 * of the same disk, or empty where the guest's bytes were not read.
 *
 * `refused`: the failure names the check in `metadata.check`, one of `check-table.ts`.
 */
export type Verdict =
  | {
      readonly kind: 'accepted';
      readonly format: DiskFormat;
      readonly virtualSizeBytes: bigint;
      readonly warnings: readonly string[];
      readonly facts: Readonly<Record<string, string>>;
      readonly guestDigest: string;
    }
  | { readonly kind: 'refused'; readonly failure: Failure };
