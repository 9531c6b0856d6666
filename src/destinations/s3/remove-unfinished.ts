import { PartBodies, skim } from '../objects/part-body.ts';
import { planParts } from '../objects/part-plan.ts';
import type { Leftovers } from '../objects/object-way.ts';
import { elements, elementTexts } from './s3-xml.ts';

/**
 * Aborts the uploads that died attempts of a task left unfinished under the object's name. S3 keeps no mark of whose an upload is,
 * so those are taken whose first part is the first part of an artefact; others under the same name are somebody else's.
 */
export async function removeUnfinished({ target, artefacts, bounds, isEnded }: Leftovers, signal: AbortSignal): Promise<void> {
  if (!isEnded && await target.head(signal) === undefined) return;
  const { container, kind, name } = target.address;
  const bucket = { kind, container, name: '' };
  const { body } = await target.ask({ method: 'GET', address: bucket, query: { uploads: '', prefix: name } }, [200], signal);
  const ids = elements(body.toString(), 'Upload')
    .filter((upload) => elementTexts(upload, 'Key')[0] === name)
    .flatMap((upload) => elementTexts(upload, 'UploadId'));
  if (ids.length === 0) return;
  const firsts = new Set<string>();
  for (const artefact of artefacts) firsts.add(await firstPartOf(artefact, bounds, signal));
  for (const uploadId of ids) {
    const listed = await target.ask({ method: 'GET', query: { uploadId, 'max-parts': '1' } }, [200, 404], signal);
    const [begun = ''] = elements(listed.body.toString(), 'Part');
    const [etag = ''] = elementTexts(begun, 'ETag');
    if (firsts.has(`${etag.replaceAll('"', '')} ${elementTexts(begun, 'Size')[0] ?? ''}`)) await target.ask({ method: 'DELETE', query: { uploadId } }, [200, 204, 404], signal);
  }
}

/** MD5 and size of the first part of an artefact. */
async function firstPartOf({ sizeBytes, chunks }: Leftovers['artefacts'][number], bounds: Leftovers['bounds'], signal: AbortSignal): Promise<string> {
  const [first] = planParts(sizeBytes, bounds);
  if (first === undefined) return '';
  const bodies = new PartBodies(chunks(0, signal));
  try {
    return `${await skim(bodies.next(first.sizeBytes, () => undefined))} ${first.sizeBytes}`;
  } finally {
    await bodies.close();
  }
}
