import { failure, FailureError } from '../domain/failures.ts';
import type { CloneImage } from '../gen/lehr/v1/task.ts';
import type { DescribedImage } from '../regions/described-image.ts';
import type { RegionClient } from '../regions/region-client.ts';
import { inRegion, senseless } from '../regions/region-failures.ts';
import { fetch, type Fetched, type FetchDeps } from '../stages/fetch.ts';
import { inspect, type Accepted } from '../stages/inspect.ts';
import type { StageRun } from '../stages/stage.ts';
import { store } from '../stages/store.ts';
import { copiedProperties } from './copied-properties.ts';
import type { Attempt, Finding } from './handler.ts';
import { inspectionFinding } from './inspection-finding.ts';
import { clonedFrom } from './provenance.ts';

/** What a clone from another region works with. */
export interface CloneFromRegionDeps extends FetchDeps {
  readonly regions: RegionClient;
  /** An image may not have more bytes. */
  readonly maxImageBytes: number;
  /** The largest guest disk that is taken, in bytes. */
  readonly maxVirtualBytes: bigint;
  /** A raw disk on which nothing is recognised is refused. */
  readonly requireRecognisedRaw: boolean;
}

/**
 * Clones an image of another region: ask what it is, fetch the bytes, prove that they are what was described, judge them as those of
 * any import, put them in place. A region is trusted with no more than a source is.
 */
export async function cloneFromRegion(deps: CloneFromRegionDeps, spec: CloneImage, attempt: Attempt): Promise<void> {
  const { sourceRegion: region, imageId, image: asked } = spec;
  const told = <Result>(work: Promise<Result>): Promise<Result> =>
    work.catch((error: unknown) => { throw inRegion(error, region, imageId); });
  const described = await attempt.stage('describe', (run) => describe(run, deps, spec, attempt.owner), describedAs(region));
  const properties = copiedProperties(described.properties, asked);
  const fetched = await attempt.stage(
    'fetch',
    (run) => told(fetchDescribed(run, deps, region, described, attempt.owner)),
    ({ sizeBytes, digest, facts }) => ({ bytes: BigInt(sizeBytes), digest, facts: { ...facts } }),
  );
  const inspected = await attempt.stage('inspect', (run) => told(inspectDescribed(run, deps, region, described)), inspectionFinding);
  const { file } = await attempt.lastStage('store', (run) => store(run, deps, 'fetched'));
  const { format, virtualSizeBytes, guestDigest, warnings } = inspected;
  await attempt.commit({
    file, format, virtualSizeBytes, guestDigest,
    digest: fetched.digest,
    sizeBytes: BigInt(fetched.sizeBytes),
    warnings: [...warnings],
    image: properties,
    provenance: clonedFrom(region, imageId, described.provenance),
  });
}

async function describe(
  run: StageRun, deps: CloneFromRegionDeps, { sourceRegion, imageId }: CloneImage, owner: string,
): Promise<DescribedImage> {
  run.signal.throwIfAborted();
  const described = await deps.regions.describe(sourceRegion, imageId, owner, run.signal);
  const { maxImageBytes } = deps;
  if (described.sizeBytes <= maxImageBytes) return described;
  const message = `The image ${imageId} of region ${sourceRegion} is larger than the limit of ${maxImageBytes} bytes.`;
  const metadata = { region: sourceRegion, bytes: String(described.sizeBytes), max_image_bytes: String(maxImageBytes) };
  throw new FailureError(failure('SOURCE_TOO_LARGE', message, metadata));
}

function describedAs(region: string): (described: DescribedImage) => Finding {
  return ({ format, virtualSizeBytes, sizeBytes, digest, guestDigest }) => ({
    format,
    virtualSizeBytes,
    facts: { region, size_bytes: String(sizeBytes), digest, ...(guestDigest === '' ? {} : { guest_digest: guestDigest }) },
  });
}

async function fetchDescribed(
  run: StageRun, deps: FetchDeps, region: string, { id, sizeBytes, digest, format }: DescribedImage, owner: string,
): Promise<Fetched> {
  return fetch(run, deps, {
    source: { uri: `/images/${id}/data`, credential: '', owner, region: { name: region, sizeBytes } },
    sourceFormat: format,
    expectedDigest: '',
    check: (fetched) => {
      if (fetched.sizeBytes !== sizeBytes) throw otherSize(region, sizeBytes, fetched.sizeBytes);
      if (fetched.digest !== digest) throw lie(region, 'digest', digest, fetched.digest);
    },
  });
}

async function inspectDescribed(run: StageRun, deps: CloneFromRegionDeps, region: string, described: DescribedImage): Promise<Accepted> {
  const { maxVirtualBytes, requireRecognisedRaw } = deps;
  const verdict = await inspect(run, deps, { part: 'fetched', declared: described.format, maxVirtualBytes, requireRecognisedRaw });
  if (verdict.virtualSizeBytes !== described.virtualSizeBytes) {
    const sizes = { bytes_expected: String(described.virtualSizeBytes), bytes_received: String(verdict.virtualSizeBytes) };
    throw senseless(region, `described a disk of ${described.virtualSizeBytes} bytes, and sent one of ${verdict.virtualSizeBytes}`, sizes);
  }
  if (described.guestDigest !== '' && verdict.guestDigest !== described.guestDigest) {
    throw lie(region, 'guest digest', described.guestDigest, verdict.guestDigest);
  }
  return verdict;
}

function otherSize(region: string, expected: number, received: number): FailureError {
  const message = `The region ${region} said that the image has ${expected} bytes, and sent ${received}.`;
  return new FailureError(failure('SOURCE_CHANGED', message, { region, bytes_expected: String(expected), bytes_received: String(received) }));
}

function lie(region: string, what: string, expected: string, actual: string): FailureError {
  const message = `The region ${region} said that the image has the ${what} ${expected}, and sent one with ${actual}. Ask whoever runs it.`;
  return new FailureError(failure('DIGEST_MISMATCH', message, { region, expected, actual }));
}
