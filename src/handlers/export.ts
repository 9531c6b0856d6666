import type { StagedResult } from '../bytes/staged-file.ts';
import type { DestinationRequest } from '../destinations/destination.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { ExportImage } from '../gen/lehr/v1/task.ts';
import type { ArtefactFile } from '../stages/artefact-of.ts';
import { convertStored, type ConvertStoredInput } from '../stages/convert-stored.ts';
import type { ConvertVerifiedDeps } from '../stages/convert-verified.ts';
import { conversionOf } from '../stages/conversion-of.ts';
import { deliver, withdraw, type DeliverDeps } from '../stages/deliver.ts';
import { earlierConversion } from '../stages/earlier-conversion.ts';
import { exportPlan, type ExportPlan } from '../stages/export-plan.ts';
import { inspect } from '../stages/inspect.ts';
import type { StageRun } from '../stages/stage.ts';
import type { StagedFileName } from '../stores/image-store.ts';
import { borrowImage } from './borrow-image.ts';
import type { Attempt, Handler } from './handler.ts';
import { requireImage, type RequireImageDeps } from './require-image.ts';

/** What an export works with. */
export interface ExportDeps extends RequireImageDeps, ConvertVerifiedDeps, DeliverDeps {
  /** Told of what was delivered for a task that was canceled then, and could not be removed. */
  readonly onLeftBehind: (taskId: string, location: string) => void;
}

/** The image that an export works on, as it was recorded, and the attempt's part that shares its bytes. */
interface Borrowed {
  readonly image: ConvertStoredInput['image'];
  readonly part: StagedFileName;
}

/** What is delivered, and the digest of the guest's disk in it. */
interface Fixed {
  readonly file: ArtefactFile;
  readonly guestDigest: string;
}

/**
 * Export: borrow the image, so that nobody takes it away, convert it where another format or a compression is wanted, and deliver. What
 * was converted is recorded before it is delivered; later attempts deliver those very bytes.
 */
export function exportHandler(deps: ExportDeps): Handler<ExportImage> {
  return async ({ imageId, destinationUri, format, compression, credential }, attempt) => {
    const to: DestinationRequest = { uri: destinationUri, credential, owner: attempt.owner };
    const borrowed = await attempt.lastStage('borrow', (run) => borrow(run, imageId, attempt.owner, deps));
    const plan = exportPlan(borrowed.image.format, format, compression);
    const { file, guestDigest } = plan.isConverted ? await converted(borrowed, plan, attempt, deps) : asStored(borrowed);
    const { taskId, delivered } = await attempt.lastStage('deliver', async (run) => ({
      taskId: run.taskId,
      delivered: await deliver(run, deps, { file, to, ours: [file, ...conversionsOf(attempt)] }),
    }));
    const { location, digest, sizeBytes, verified } = delivered;
    const result = { imageId, location, digest, sizeBytes: BigInt(sizeBytes), format: plan.format, guestDigest, verified };
    await attempt.deliver(result, async () => {
      if (!await withdraw(deps, to, delivered)) deps.onLeftBehind(taskId, location);
    });
  };
}

async function borrow(run: StageRun, imageId: string, owner: string, deps: ExportDeps): Promise<Borrowed> {
  const found = await requireImage(deps, imageId, owner, run.signal);
  await borrowImage(run, deps, found);
  const { registered } = found;
  const { format, virtualSizeBytes, guestDigest, warnings, sizeBytes, digest } = registered;
  return {
    image: { kind: 'accepted', format, virtualSizeBytes, guestDigest, warnings, facts: {}, sizeBytes: Number(sizeBytes), digest },
    part: deps.store.stagedFile(run.taskId, run.attempt, 'borrowed'),
  };
}

/** The bytes are compared with their digest while they are delivered. */
function asStored({ image: { sizeBytes, digest, guestDigest }, part }: Borrowed): Fixed {
  return { file: { ...part, sizeBytes, digest }, guestDigest };
}

async function converted({ image }: Borrowed, { format, compression }: ExportPlan, attempt: Attempt, deps: ExportDeps): Promise<Fixed> {
  return attempt.stage(
    'convert',
    async (run) => {
      const earlier = await earlierConversion(run, deps, conversionsOf(attempt));
      if (earlier !== undefined) return { file: { ...earlier, isConverted: true }, guestDigest: recordedGuestDigest(attempt, earlier) };
      conversionOf(image.format, format, deps.sandbox, compression);
      const original = image.guestDigest === '' ? { ...image, guestDigest: await guestDigestOf(run, image.format, deps) } : image;
      const { sizeBytes, digest, verdict } = await convertStored(run, deps, { image: original, targetFormat: format, compression });
      return { file: { ...deps.store.stagedFile(run.taskId, run.attempt, 'converted'), sizeBytes, digest, isConverted: true }, guestDigest: verdict.guestDigest };
    },
    ({ file: { sizeBytes, digest }, guestDigest }) => ({ bytes: BigInt(sizeBytes), digest, format, facts: { guest_digest: guestDigest } }),
  );
}

/** What this task has converted so far, in all attempts. */
function conversionsOf({ recorded }: Attempt): readonly StagedResult[] {
  return recorded.filter(({ stage }) => stage === 'convert').map(({ digest, bytes }) => ({ digest, sizeBytes: Number(bytes) }));
}

function recordedGuestDigest({ recorded }: Attempt, { digest }: ArtefactFile): string {
  return recorded.find((found) => found.stage === 'convert' && found.digest === digest)?.facts['guest_digest'] ?? '';
}

/** Of an image that was imported when nothing computed it. */
async function guestDigestOf(run: StageRun, declared: DiskFormat, deps: ExportDeps): Promise<string> {
  const { maxVirtualBytes } = deps;
  const verdict = await inspect(run, deps, { part: 'borrowed', declared, maxVirtualBytes, requireRecognisedRaw: false });
  return verdict.guestDigest;
}
