import { failure, FailureError } from '../domain/failures.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { ImportImage } from '../gen/lehr/v1/task.ts';
import { decompress, type DecompressDeps } from '../stages/decompress.ts';
import { fetch, type Fetched, type FetchDeps } from '../stages/fetch.ts';
import { inspect } from '../stages/inspect.ts';
import { store } from '../stages/store.ts';
import type { StagedPart } from '../stores/image-store.ts';
import type { Attempt, Handler } from './handler.ts';

/** What an import works with. */
export interface ImportDeps extends FetchDeps, DecompressDeps {
  /** The largest guest disk that is taken, in bytes. */
  readonly maxVirtualBytes: bigint;
}

/** Import: fetch the bytes, take the image out of what it came in, prove that it is a disk image, put it in place. */
export function importHandler(deps: ImportDeps): Handler<ImportImage> {
  return async ({ sourceUri, sourceFormat, expectedDigest, storeFormat, image }, attempt) => {
    const fetched = await attempt.stage(
      'fetch',
      (run) => fetch(run, deps, { sourceUri, sourceFormat, expectedDigest }),
      ({ sizeBytes, digest, facts }) => ({ bytes: BigInt(sizeBytes), digest, facts: { ...facts } }),
    );
    const bare = await unwrapped(fetched, sourceFormat, attempt, deps);
    const inspected = await attempt.stage(
      'inspect',
      async (run) => {
        const verdict = await inspect(run, deps, { part: bare.part, declared: sourceFormat, maxVirtualBytes: deps.maxVirtualBytes });
        refuseConversion(verdict.format, storeFormat);
        return verdict;
      },
      ({ format, virtualSizeBytes, warnings, facts, guestDigest }) => ({
        format, virtualSizeBytes, warnings: [...warnings], facts: { ...facts, guest_digest: guestDigest },
      }),
    );
    const { file } = await attempt.lastStage('store', (run) => store(run, deps, bare.part));
    await attempt.commit({
      file,
      digest: bare.digest,
      sizeBytes: BigInt(bare.sizeBytes),
      format: inspected.format,
      virtualSizeBytes: inspected.virtualSizeBytes,
      guestDigest: inspected.guestDigest,
      warnings: [...inspected.warnings],
      image,
    });
  };
}

/** The image itself, in which of the attempt's files it lies, and the size and digest of that. */
interface Unwrapped {
  readonly part: StagedPart;
  readonly sizeBytes: number;
  readonly digest: string;
}

/** An image that came as it is has no such stage: there is nothing that it could find. */
async function unwrapped(fetched: Fetched, declared: DiskFormat, attempt: Attempt, deps: DecompressDeps): Promise<Unwrapped> {
  const { wrapper, sizeBytes, digest } = fetched;
  if (wrapper === undefined) return { part: 'fetched', sizeBytes, digest };
  const decoded = await attempt.stage(
    'decompress',
    (run) => decompress(run, deps, { from: 'fetched', wrapper, declared }),
    (found) => ({ bytes: BigInt(found.sizeBytes), digest: found.digest, facts: { ...found.facts } }),
  );
  return { part: 'decoded', ...decoded };
}

/** Images are kept as they came: another format is refused rather than ignored. */
function refuseConversion(found: DiskFormat, wanted: DiskFormat): void {
  if (wanted === 'DISK_FORMAT_UNSPECIFIED' || wanted === found) return;
  const message = `The image is ${found} and this server does not convert to ${wanted}. Leave store_format out to keep the image as it came.`;
  throw new FailureError(failure('FORMAT_UNSUPPORTED', message, { found, wanted }));
}
