import { failure, FailureError } from '../domain/failures.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { ImportImage } from '../gen/lehr/v1/task.ts';
import { fetch, type FetchDeps } from '../stages/fetch.ts';
import { inspect } from '../stages/inspect.ts';
import { store } from '../stages/store.ts';
import type { Handler } from './handler.ts';

/** What an import works with. */
export interface ImportDeps extends FetchDeps {
  /** The largest guest disk that is taken, in bytes. */
  readonly maxVirtualBytes: bigint;
}

/** Import: fetch the bytes, prove that they are a disk image, put them in place. */
export function importHandler(deps: ImportDeps): Handler<ImportImage> {
  return async ({ sourceUri, sourceFormat, expectedDigest, storeFormat, image }, attempt) => {
    const fetched = await attempt.stage(
      'fetch',
      (run) => fetch(run, deps, { sourceUri, sourceFormat, expectedDigest }),
      ({ sizeBytes, digest, facts }) => ({ bytes: BigInt(sizeBytes), digest, facts: { ...facts } }),
    );
    const inspected = await attempt.stage(
      'inspect',
      async (run) => {
        const verdict = await inspect(run, deps, { part: 'fetched', declared: sourceFormat, maxVirtualBytes: deps.maxVirtualBytes });
        refuseConversion(verdict.format, storeFormat);
        return verdict;
      },
      ({ format, virtualSizeBytes, warnings, facts, guestDigest }) => ({
        format, virtualSizeBytes, warnings: [...warnings], facts: { ...facts, guest_digest: guestDigest },
      }),
    );
    const { file } = await attempt.lastStage('store', (run) => store(run, deps, 'fetched'));
    await attempt.commit({
      file,
      digest: fetched.digest,
      sizeBytes: BigInt(fetched.sizeBytes),
      format: inspected.format,
      virtualSizeBytes: inspected.virtualSizeBytes,
      guestDigest: inspected.guestDigest,
      warnings: [...inspected.warnings],
      image,
    });
  };
}

/** Images are kept as they came: another format is refused rather than ignored. */
function refuseConversion(found: DiskFormat, wanted: DiskFormat): void {
  if (wanted === 'DISK_FORMAT_UNSPECIFIED' || wanted === found) return;
  const message = `The image is ${found} and this server does not convert to ${wanted}. Leave store_format out to keep the image as it came.`;
  throw new FailureError(failure('FORMAT_UNSUPPORTED', message, { found, wanted }));
}
