import { unlessAnswered } from '../objects/adopt-parts.ts';
import type { Earlier, LeftPart } from '../objects/adopt-parts.ts';
import type { ObjectTarget } from '../objects/object-target.ts';
import type { Leftovers, Upload } from '../objects/object-way.ts';
import { PartBodies, skim } from '../objects/part-body.ts';
import { planParts } from '../objects/part-plan.ts';
import { elements, elementTexts } from './s3-xml.ts';

/** A page has at most so many parts: all of them, by `partBounds`. */
const pageParts = 1_000;

/** The upload of a died attempt with which this one goes on, of several the one with most parts, and these. */
export async function uploadToGoOn(
  { target, artefact, bounds, heeded: { signal }, delivery }: Upload,
): Promise<{ readonly id: string; readonly earlier: Earlier } | undefined> {
  if (delivery.attempt === 1) return undefined;
  try {
    const uploads = await Array.fromAsync(unfinishedUploads({ target, artefacts: [artefact], bounds }, signal), async (id) => (
      { id, parts: await partsOf(target, id, pageParts, signal) }
    ));
    const [most] = uploads.toSorted((a, b) => b.parts.size - a.parts.size);
    return most && { id: most.id, earlier: { parts: most.parts, adopt: async ({ number }) => most.parts.get(number)?.etag ?? '' } };
  } catch (error) {
    return unlessAnswered(error);
  }
}

/** Aborts what died attempts left unfinished. */
export async function removeUnfinished(leftovers: Leftovers, signal: AbortSignal): Promise<void> {
  const { target, isEnded } = leftovers;
  if (!isEnded && await target.head(signal) === undefined) return;
  // All of them first: an upload that is gone may mark no place in the list.
  for (const id of await Array.fromAsync(unfinishedUploads(leftovers, signal))) {
    await target.ask({ method: 'DELETE', query: { uploadId: id } }, [200, 204, 404], signal);
  }
}

/**
 * The uploads that died attempts left unfinished under the object's name. S3 keeps no mark of whose an upload is, so those are taken
 * whose first part is the first part of an artefact; others under the same name are somebody else's.
 */
async function* unfinishedUploads(
  { target, artefacts, bounds }: Pick<Leftovers, 'target' | 'artefacts' | 'bounds'>, signal: AbortSignal,
): AsyncGenerator<string> {
  let firsts: readonly (LeftPart | undefined)[] | undefined;
  for await (const id of uploadsOf(target, signal)) {
    firsts ??= await Promise.all(artefacts.map((artefact) => firstPartOf(artefact, bounds, signal)));
    const begun = (await partsOf(target, id, 1, signal)).get(1);
    if (firsts.some((first) => first !== undefined && first.etag === begun?.etag && first.sizeBytes === begun.sizeBytes)) yield id;
  }
}

/** All unfinished uploads under the object's name, page by page (ListMultipartUploads). */
async function* uploadsOf(target: ObjectTarget, signal: AbortSignal): AsyncGenerator<string> {
  const { container, kind, name } = target.address;
  let after: Readonly<Record<string, string>> | undefined = {};
  while (after !== undefined) {
    const { body } = await target.ask({ method: 'GET', address: { kind, container, name: '' }, query: { uploads: '', prefix: name, ...after } }, [200], signal);
    const page = body.toString();
    const uploads = elements(page, 'Upload').map((upload) => ({ key: elementTexts(upload, 'Key')[0], id: elementTexts(upload, 'UploadId')[0] }));
    for (const { key, id } of uploads) if (key === name && id !== undefined) yield id;
    const [isTruncated, key, id] = ['IsTruncated', 'NextKeyMarker', 'NextUploadIdMarker'].map((field) => elementTexts(page, field)[0]);
    // Names are listed in order: behind another one there is none of ours.
    after = isTruncated === 'true' && key === name && id !== undefined && id !== after['upload-id-marker'] ? { 'key-marker': key, 'upload-id-marker': id } : undefined;
  }
}

async function partsOf(target: ObjectTarget, uploadId: string, limit: number, signal: AbortSignal): Promise<ReadonlyMap<number, LeftPart>> {
  const { status, body } = await target.ask({ method: 'GET', query: { uploadId, 'max-parts': String(limit) } }, [200, 404], signal);
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
