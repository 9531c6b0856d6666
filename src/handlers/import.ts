import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { ImportImage } from '../gen/lehr/v1/task.ts';
import { conversionOf } from '../stages/conversion-of.ts';
import { convertVerified, type ConvertVerifiedDeps } from '../stages/convert-verified.ts';
import { decompress, type DecompressDeps } from '../stages/decompress.ts';
import { fetch, type Fetched, type FetchDeps } from '../stages/fetch.ts';
import { inspect, type Accepted } from '../stages/inspect.ts';
import { store } from '../stages/store.ts';
import type { StagedPart } from '../stores/image-store.ts';
import type { Attempt, Handler } from './handler.ts';
import { inspectionFinding } from './inspection-finding.ts';
import { importedFrom } from './provenance.ts';

/** What an import works with. */
export interface ImportDeps extends FetchDeps, DecompressDeps, ConvertVerifiedDeps {
  /** The largest guest disk that is taken, in bytes. */
  readonly maxVirtualBytes: bigint;
  /** A raw disk on which nothing is recognised is refused. */
  readonly requireRecognisedRaw: boolean;
}

/** An image that passed every check so far: in which of the attempt's files it lies, the size and digest of that, and what it is. */
interface Judged {
  readonly part: StagedPart;
  readonly sizeBytes: number;
  readonly digest: string;
  readonly verdict: Accepted;
}

/**
 * Import: fetch the bytes, take the image out of what it came in, prove that it is a disk image, convert it where another
 * format is wanted, put it in place.
 */
export function importHandler(deps: ImportDeps): Handler<ImportImage> {
  return async ({ sourceUri, sourceFormat, expectedDigest, storeFormat, image, credential }, attempt) => {
    refuseInVain(sourceFormat, storeFormat, deps);
    const fetched = await attempt.stage(
      'fetch',
      (run) => fetch(run, deps, { source: { uri: sourceUri, credential, owner: attempt.owner }, sourceFormat, expectedDigest }),
      ({ sizeBytes, digest, facts }) => ({ bytes: BigInt(sizeBytes), digest, facts: { ...facts } }),
    );
    const bare = await unwrapped(fetched, sourceFormat, attempt, deps);
    const inspected = await attempt.stage(
      'inspect',
      async (run) => {
        const { maxVirtualBytes, requireRecognisedRaw } = deps;
        const verdict = await inspect(run, deps, { part: bare.part, declared: sourceFormat, maxVirtualBytes, requireRecognisedRaw });
        refuseInVain(verdict.format, storeFormat, deps);
        return verdict;
      },
      inspectionFinding,
    );
    const kept = await converted({ ...bare, verdict: inspected }, storeFormat, attempt, deps);
    const { file } = await attempt.lastStage('store', (run) => store(run, deps, kept.part));
    await attempt.commit({
      file,
      digest: kept.digest,
      sizeBytes: BigInt(kept.sizeBytes),
      format: kept.verdict.format,
      virtualSizeBytes: kept.verdict.virtualSizeBytes,
      guestDigest: kept.verdict.guestDigest,
      warnings: [...kept.verdict.warnings],
      image,
      provenance: importedFrom(sourceUri),
    });
  };
}

/** What is not converted here is refused before more is done for it; a format that is not known yet is judged later. */
function refuseInVain(found: DiskFormat, wanted: DiskFormat, { sandbox }: ImportDeps): void {
  if (found !== 'DISK_FORMAT_UNSPECIFIED' && isConverted(found, wanted)) conversionOf(found, wanted, sandbox);
}

function isConverted(found: DiskFormat, wanted: DiskFormat): boolean {
  return wanted !== 'DISK_FORMAT_UNSPECIFIED' && wanted !== found;
}

/** An image that came as it is has no such stage: there is nothing that it could find. */
async function unwrapped(fetched: Fetched, declared: DiskFormat, attempt: Attempt, deps: DecompressDeps): Promise<Omit<Judged, 'verdict'>> {
  const { wrapper, sizeBytes, digest } = fetched;
  if (wrapper === undefined) return { part: 'fetched', sizeBytes, digest };
  const decoded = await attempt.stage(
    'decompress',
    (run) => decompress(run, deps, { from: 'fetched', wrapper, declared }),
    (found) => ({ bytes: BigInt(found.sizeBytes), digest: found.digest, facts: { ...found.facts } }),
  );
  return { part: 'decoded', ...decoded };
}

/** An image that is kept as it came has no such stage. What was noticed about the original is told of the result too. */
async function converted(judged: Judged, wanted: DiskFormat, attempt: Attempt, deps: ImportDeps): Promise<Judged> {
  const { part, verdict } = judged;
  if (!isConverted(verdict.format, wanted)) return judged;
  const result = await attempt.stage(
    'convert',
    (run) => convertVerified(run, deps, { from: part, original: verdict, targetFormat: wanted }),
    ({ sizeBytes, digest, verdict: found }) => ({ ...inspectionFinding(found), bytes: BigInt(sizeBytes), digest }),
  );
  return { part: 'converted', ...result, verdict: { ...result.verdict, warnings: [...new Set([...verdict.warnings, ...result.verdict.warnings])] } };
}
