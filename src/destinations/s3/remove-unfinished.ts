import { PartBodies, skim } from '../objects/part-body.ts';
import { planParts } from '../objects/part-plan.ts';
import type { Upload } from '../objects/object-way.ts';
import { elements, elementTexts } from './s3-xml.ts';

/**
 * Aborts the uploads that died attempts of a task left unfinished under the object's name. S3 keeps no mark of whose an upload is,
 * so those are taken whose first part is the first part of the artefact; others under the same name are somebody else's.
 */
export async function removeUnfinished({ target, artefact, bounds }: Pick<Upload, 'target' | 'artefact' | 'bounds'>, signal: AbortSignal): Promise<void> {
  const { container, kind, name } = target.address;
  const bucket = { kind, container, name: '' };
  const { body } = await target.ask({ method: 'GET', address: bucket, query: { uploads: '', prefix: name } }, [200], signal);
  const ids = elements(body.toString(), 'Upload')
    .filter((upload) => elementTexts(upload, 'Key')[0] === name)
    .flatMap((upload) => elementTexts(upload, 'UploadId'));
  const [first] = planParts(artefact.sizeBytes, bounds);
  if (ids.length === 0 || first === undefined) return;
  const bodies = new PartBodies(artefact.chunks(0, signal));
  const md5 = await skim(bodies.next(first.sizeBytes, () => undefined));
  await bodies.close();
  for (const uploadId of ids) {
    const listed = await target.ask({ method: 'GET', query: { uploadId, 'max-parts': '1' } }, [200, 404], signal);
    const [begun = ''] = elements(listed.body.toString(), 'Part');
    const isOurs = elementTexts(begun, 'ETag')[0]?.replaceAll('"', '') === md5 && elementTexts(begun, 'Size')[0] === String(first.sizeBytes);
    if (isOurs) await target.ask({ method: 'DELETE', query: { uploadId } }, [200, 204, 404], signal);
  }
}
