import { StatusError } from '../../sources/objects/endpoint-error.ts';
import type { Artefact } from '../destination.ts';
import type { ObjectTarget } from '../objects/object-target.ts';
import { OutcomeUnknownError } from '../objects/object-way.ts';
import type { ObjectWay, Upload, UploadOutcome } from '../objects/object-way.ts';
import { leftBehind } from '../delivery-failures.ts';
import { asDeliveryError, mayPass } from '../objects/object-failures.ts';
import { planParts } from '../objects/part-plan.ts';
import type { SentPart } from '../objects/part-plan.ts';
import { sendParts } from '../objects/send-parts.ts';
import { putWhole } from '../objects/send-whole.ts';
import { MultipartUpload } from './multipart-upload.ts';
import { removeUnfinished, uploadToGoOn } from './unfinished-uploads.ts';

/** What is given up is removed within so long, or left behind. */
const cleanUpTimeoutMs = 30_000;

/** Objects of an S3-compatible store: one PUT, or a multipart upload. */
export const s3Way: ObjectWay = {
  async sendWhole(upload) {
    try {
      return await putWhole(upload, { ...aboutObject(upload.artefact), 'if-none-match': '*' });
    } catch (error) {
      const isUnknownCondition = error instanceof StatusError && error.status === 501;
      if (!isUnknownCondition) throw error;
      upload.heeded.resume();
      upload.heeded.signal.throwIfAborted();
      if (await upload.target.head(upload.heeded.signal) !== undefined) return { kind: 'exists' };
      return putWhole(upload, aboutObject(upload.artefact));
    }
  },

  async sendParts(upload) {
    const { target, artefact, delivery, heeded, bounds, pause } = upload;
    const left = await uploadToGoOn(upload);
    const multipart = left === undefined
      ? await MultipartUpload.begin(target, aboutObject(artefact), heeded.signal)
      : new MultipartUpload(target, left.id);
    try {
      const parts = await sendParts(artefact, planParts(artefact.sizeBytes, bounds), {
        put: (part, body) => multipart.put(part, body, heeded.signal),
        progress: (bytesDone) => delivery.progress(bytesDone, artefact.sizeBytes),
        pause,
        signal: heeded.signal,
        earlier: left?.earlier,
      });
      heeded.signal.throwIfAborted();
      heeded.commit();
      const outcome = await complete(multipart, parts, upload);
      if (outcome.kind === 'exists') await abortFor(multipart, target, undefined);
      return outcome;
    } catch (error) {
      if (error instanceof OutcomeUnknownError) throw error;
      throw await abortFor(multipart, target, error);
    }
  },

  removeLeftovers: removeUnfinished,

  async remove(target, signal) {
    await target.ask({ method: 'DELETE' }, [200, 204, 404], signal);
    return true;
  },
};

/** Completing again is harmless: what was completed is found as an object that exists. */
async function complete(multipart: MultipartUpload, parts: readonly SentPart[], { target, heeded, pause }: Upload): Promise<UploadOutcome> {
  for (let nth = 1, isConditional = true, isUnknown = false; ; nth += 1) {
    try {
      return await multipart.complete(parts, isConditional, heeded.signal);
    } catch (error) {
      if (error instanceof StatusError && error.status === 501 && isConditional) {
        isConditional = false;
        continue;
      }
      // What a later try is told, or its look before, says nothing of the one whose answer was lost.
      isUnknown ||= error instanceof OutcomeUnknownError;
      if (!isUnknown) throw error;
      const unknown = error instanceof OutcomeUnknownError ? error : new OutcomeUnknownError(error);
      if (nth >= 3 || !(unknown === error || mayPass(error))) throw unknown;
      await pause(nth, error);
      if (await target.head(heeded.signal).then((head) => head !== undefined, () => false)) return { kind: 'exists' };
    }
  }
}

/** Removes what was begun, and answers with the error that it fails with. */
async function abortFor(multipart: MultipartUpload, target: ObjectTarget, error: unknown): Promise<unknown> {
  try {
    await multipart.abort(AbortSignal.timeout(cleanUpTimeoutMs));
    return error;
  } catch {
    return leftBehind(asDeliveryError(error), `${target.location} (unfinished upload ${multipart.id})`);
  }
}

function aboutObject({ digest }: Artefact): Record<string, string> {
  return { 'content-type': 'application/octet-stream', 'x-amz-meta-lehr-sha256': digest.replace('sha256:', '') };
}
