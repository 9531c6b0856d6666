import { createHash } from 'node:crypto';
import { EndpointError } from '../../sources/objects/endpoint-error.ts';
import type { Artefact } from '../destination.ts';
import { leftBehind } from '../delivery-failures.ts';
import { asDeliveryError, mayPass } from '../objects/object-failures.ts';
import { etagOf } from '../objects/object-target.ts';
import { OutcomeUnknownError } from '../objects/object-way.ts';
import type { ObjectWay, Upload, UploadOutcome } from '../objects/object-way.ts';
import { planParts } from '../objects/part-plan.ts';
import type { SentPart } from '../objects/part-plan.ts';
import { sendParts } from '../objects/send-parts.ts';
import { putWhole } from '../objects/send-whole.ts';
import { removeUnusedSegments, SwiftSegments } from './swift-segments.ts';

/** What is given up is removed within so long, or left behind. */
const cleanUpTimeoutMs = 30_000;

/** The manifest is sent so often. */
const tryLimit = 4;

/** Objects of Swift: one PUT, or segments and a manifest that makes a static large object of them. */
export const swiftWay: ObjectWay = {
  sendWhole: (upload) => putWhole(upload, { ...aboutObject(upload.artefact), 'if-none-match': '*' }),

  async sendParts(upload) {
    const { target, artefact, delivery, heeded, bounds, pause } = upload;
    const segments = new SwiftSegments(target, delivery.taskId, delivery.attempt);
    try {
      await segments.makeContainer(heeded.signal);
      const parts = await sendParts(artefact, planParts(artefact.sizeBytes, bounds), {
        put: (part, body) => segments.put(part, body, heeded.signal),
        progress: (bytesDone) => delivery.progress(bytesDone, artefact.sizeBytes),
        pause,
        signal: heeded.signal,
        earlier: delivery.attempt > 1 ? await segments.earlier(heeded.signal) : undefined,
      });
      heeded.signal.throwIfAborted();
      heeded.commit();
      const outcome = await sendManifest(segments.manifest(parts), parts, upload);
      if (outcome.kind === 'exists') {
        const own = { target, taskId: delivery.taskId, attempt: delivery.attempt, isEnded: false };
        await removeUnusedSegments(own, AbortSignal.timeout(cleanUpTimeoutMs)).catch(() => undefined);
      }
      return outcome;
    } catch (error) {
      // The object may be there, and consist of the segments.
      if (error instanceof OutcomeUnknownError) throw error;
      throw await giveUp(segments, error);
    }
  },

  removeLeftovers: removeUnusedSegments,

  async remove(target, signal) {
    const head = await target.head(signal);
    if (head === undefined) return true;
    const query: Record<string, string> = head.isManifest ? { 'multipart-manifest': 'delete' } : {};
    await target.ask({ method: 'DELETE', query }, [200, 204, 404], signal);
    return await target.head(signal) === undefined;
  },
};

/** A manifest that took effect without an answer is found by the one that follows, as an object that exists. */
async function sendManifest(body: Buffer, parts: readonly SentPart[], { target, artefact, heeded, pause }: Upload): Promise<UploadOutcome> {
  const request = { method: 'PUT', query: { 'multipart-manifest': 'put' }, headers: { ...aboutObject(artefact), 'if-none-match': '*' }, body } as const;
  for (let nth = 1, isUnknown = false; ; nth += 1) {
    try {
      const answer = await target.ask(request, [201, 412], heeded.signal);
      if (answer.status === 412) return { kind: 'exists' };
      const whole = createHash('md5').update(parts.map(({ md5 }) => md5).join('')).digest('hex');
      const etag = etagOf(answer);
      return { kind: 'stored', etag, isProven: etag === whole && parts.every(({ md5, etag }) => md5 === etag) };
    } catch (error) {
      const mayHaveWorked = error instanceof EndpointError || mayPass(error);
      isUnknown ||= mayHaveWorked;
      // What a later try is told says nothing of the one whose answer was lost.
      if (!mayHaveWorked || nth === tryLimit) throw isUnknown ? new OutcomeUnknownError(error) : error;
      await pause(nth, error);
    }
  }
}

async function giveUp(segments: SwiftSegments, error: unknown): Promise<unknown> {
  try {
    await segments.remove(AbortSignal.timeout(cleanUpTimeoutMs));
    return error;
  } catch {
    return leftBehind(asDeliveryError(error), segments.location);
  }
}

function aboutObject({ digest }: Artefact): Record<string, string> {
  return { 'content-type': 'application/octet-stream', 'x-object-meta-lehr-sha256': digest.replace('sha256:', '') };
}
