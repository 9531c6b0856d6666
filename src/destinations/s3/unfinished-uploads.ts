import { unlessAnswered } from '../objects/adopt-parts.ts';
import type { Earlier, LeftPart } from '../objects/adopt-parts.ts';
import type { ObjectTarget } from '../objects/object-target.ts';
import type { Leftovers, Upload } from '../objects/object-way.ts';
import { PartBodies, skim } from '../objects/part-body.ts';
import { planParts } from '../objects/part-plan.ts';
import { elements, elementTexts } from './s3-xml.ts';

/** An upload that a died attempt of the task has begun and not ended. */
export interface UnfinishedUpload {
  readonly id: string;
  /** By number. */
  readonly parts: ReadonlyMap<number, LeftPart>;
}

/** A page has at most so many parts: all of them, by `partBounds`. */
const pageParts = 1_000;

/**
 * The uploads that died attempts left unfinished under the object's name, those with most parts first. S3 keeps no mark of whose an
 * upload is, so those are taken whose first part is the first part of an artefact; others under the same name are somebody else's.
 */
export async function unfinishedUploads(
  { target, artefacts, bounds }: Pick<Leftovers, 'target' | 'artefacts' | 'bounds'>, signal: AbortSignal,
): Promise<readonly UnfinishedUpload[]> {
  const { container, kind, name } = target.address;
  const { body } = await target.ask({ method: 'GET', address: { kind, container, name: '' }, query: { uploads: '', prefix: name } }, [200], signal);
  const ids = elements(body.toString(), 'Upload')
    .filter((upload) => elementTexts(upload, 'Key')[0] === name)
    .flatMap((upload) => elementTexts(upload, 'UploadId'));
  if (ids.length === 0) return [];
  const firsts = await Promise.all(artefacts.map((artefact) => firstPartOf(artefact, bounds, signal)));
  const uploads: UnfinishedUpload[] = [];
  for (const id of ids) {
    const parts = await partsOf(target, id, signal);
    const begun = parts.get(1);
    const isOurs = firsts.some((first) => first !== undefined && first.etag === begun?.etag && first.sizeBytes === begun.sizeBytes);
    if (isOurs) uploads.push({ id, parts });
  }
  return uploads.toSorted((a, b) => b.parts.size - a.parts.size);
}

/** The upload of a died attempt with which this one goes on, and its parts. */
export async function uploadToGoOn(
  { target, artefact, bounds, heeded, delivery }: Upload,
): Promise<{ readonly id: string; readonly earlier: Earlier } | undefined> {
  if (delivery.attempt === 1) return undefined;
  const uploads = await unfinishedUploads({ target, artefacts: [artefact], bounds }, heeded.signal).catch(unlessAnswered);
  if (uploads?.[0] === undefined) return undefined;
  const [{ id, parts }] = uploads;
  return { id, earlier: { parts, adopt: async ({ number }) => parts.get(number)?.etag ?? '' } };
}

/** Aborts what died attempts left unfinished. */
export async function removeUnfinished(leftovers: Leftovers, signal: AbortSignal): Promise<void> {
  const { target, isEnded } = leftovers;
  if (!isEnded && await target.head(signal) === undefined) return;
  for (const { id } of await unfinishedUploads(leftovers, signal)) {
    await target.ask({ method: 'DELETE', query: { uploadId: id } }, [200, 204, 404], signal);
  }
}

async function partsOf(target: ObjectTarget, uploadId: string, signal: AbortSignal): Promise<ReadonlyMap<number, LeftPart>> {
  const { status, body } = await target.ask({ method: 'GET', query: { uploadId, 'max-parts': String(pageParts) } }, [200, 404], signal);
  if (status === 404) return new Map();
  return new Map(elements(body.toString(), 'Part').map((part) => {
    const [[number = ''], [etag = ''], [size = '']] = [elementTexts(part, 'PartNumber'), elementTexts(part, 'ETag'), elementTexts(part, 'Size')];
    return [Number(number), { etag: etag.replaceAll('"', '').toLowerCase(), sizeBytes: Number(size) }];
  }));
}

async function firstPartOf({ sizeBytes, chunks }: Leftovers['artefacts'][number], bounds: Leftovers['bounds'], signal: AbortSignal): Promise<LeftPart | undefined> {
  const [first] = planParts(sizeBytes, bounds);
  if (first === undefined) return undefined;
  const bodies = new PartBodies(chunks(0, signal));
  try {
    return { etag: await skim(bodies.next(first.sizeBytes, () => undefined)), sizeBytes: first.sizeBytes };
  } finally {
    await bodies.close();
  }
}
