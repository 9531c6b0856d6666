import { StatusError } from '../../sources/objects/endpoint-error.ts';
import { mayPass } from './object-failures.ts';
import { OutcomeUnknownError } from './object-way.ts';
import type { Upload, UploadOutcome } from './object-way.ts';
import { etagOf } from './object-target.ts';
import { PartBodies } from './part-body.ts';

/** Sends an artefact in one PUT, which does nothing where an object exists if `headers` say so. */
export async function putWhole(upload: Upload, headers: Readonly<Record<string, string>>): Promise<UploadOutcome> {
  const { target, artefact, delivery, heeded } = upload;
  const { sizeBytes } = artefact;
  const reading = new AbortController();
  const bodies = new PartBodies(artefact.chunks(0, AbortSignal.any([heeded.signal, reading.signal])));
  let done = 0;
  const body = bodies.next(sizeBytes, (count) => {
    done += count;
    // With the last byte on its way the object may come to be.
    if (done === sizeBytes) heeded.commit();
    delivery.progress(done, sizeBytes);
  });
  try {
    const request = { method: 'PUT', headers: { ...headers, 'content-length': String(sizeBytes) }, body } as const;
    const answer = await target.ask(request, [200, 201, 412], heeded.signal);
    const etag = etagOf(answer);
    return answer.status === 412 ? { kind: 'exists' } : { kind: 'stored', etag, isProven: etag === body.md5 };
  } catch (error) {
    const mayBeThere = done === sizeBytes && (mayPass(error) || !(error instanceof StatusError));
    throw mayBeThere ? new OutcomeUnknownError(error) : error;
  } finally {
    reading.abort();
    await bodies.close().catch(() => undefined);
  }
}
