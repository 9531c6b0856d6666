import type { ObjectDoor } from '../../sources/objects/object-door.ts';
import type { ObjectAddress } from '../../sources/objects/object-uri.ts';
import type { Artefact, Delivered, Delivery, EndedExport } from '../destination.ts';
import { heededSignal } from './heeded-signal.ts';
import { destinationExists, leftBehind, otherBytesStored } from '../delivery-failures.ts';
import { asDeliveryError, isExpired, mayPass, objectVanished, retryAfterMs } from './object-failures.ts';
import { ObjectTarget } from './object-target.ts';
import { OutcomeUnknownError } from './object-way.ts';
import type { ObjectWay, Upload, UploadOutcome } from './object-way.ts';
import type { PartBounds } from './part-plan.ts';

/** Sending the whole object, or looking whether it is there, is tried so many times. */
const tryLimit = 4;

/** A store that wants to be left alone for longer is asked again after so long: parts that it has are worth it. */
const longestHeededMs = 60_000;

/** What died attempts left is looked for and removed within so long, or stays. */
const leftoversMs = 30_000;

/** What deliveries to object stores work with. */
export interface ObjectDelivering {
  readonly bounds: PartBounds;
  /** Waits; rejects with the signal's reason. */
  readonly pause: (delayMs: number, signal: AbortSignal) => Promise<void>;
}

/** Delivers an artefact to an object store; see `Destinations.deliver`. */
export async function deliverObject(
  way: ObjectWay,
  door: ObjectDoor,
  address: ObjectAddress,
  artefact: Artefact,
  delivery: Delivery,
  { bounds, pause }: ObjectDelivering,
): Promise<Delivered> {
  const target = new ObjectTarget(door, address);
  const heeded = heededSignal(delivery.signal);
  const wait = (nth: number, error: unknown): Promise<void> => pause(pauseMs(nth, error), heeded.signal);
  const upload: Upload = { target, artefact, delivery, heeded, bounds, pause: wait };
  try {
    const before = await oursAt(target, delivery, heeded.signal);
    return before ?? await send(way, upload);
  } catch (error) {
    if (error instanceof OutcomeUnknownError) throw leftBehind(asDeliveryError(error.cause), target.location);
    throw asDeliveryError(error);
  } finally {
    // An attempt that has to stop may have been replaced by one whose parts these are.
    if (delivery.attempt > 1 && !delivery.signal.aborted) await removeEarlier(way, upload).catch(() => undefined);
    heeded.close();
  }
}

/** Half a second doubling, or as the store asks for. */
function pauseMs(nth: number, error: unknown): number {
  return Math.max(500 * 2 ** (nth - 1), Math.min(retryAfterMs(error), longestHeededMs));
}

async function removeEarlier(way: ObjectWay, { target, bounds, artefact, delivery: { taskId } }: Upload): Promise<void> {
  await way.removeLeftovers({ target, bounds, taskId, artefacts: [artefact], isEnded: false }, AbortSignal.timeout(leftoversMs));
}

async function send(way: ObjectWay, upload: Upload): Promise<Delivered> {
  const { target, artefact, delivery, heeded, bounds } = upload;
  const outcome = artefact.sizeBytes <= bounds.wholeLimitBytes ? await sendWhole(way, upload) : await way.sendParts(upload);
  const delivered = { location: target.location, digest: artefact.digest, sizeBytes: artefact.sizeBytes, verified: true };
  if (outcome.kind === 'exists' || !await isStillThere(outcome.etag, target, heeded.signal)) {
    const ours = await oursAt(target, delivery, heeded.signal);
    if (ours === undefined) throw objectVanished(target.location);
    return ours;
  }
  if (outcome.isProven) return delivered;
  // It is there now, whatever becomes of the task: nobody waits for it to be read.
  const found = await target.read(delivery.signal).catch((error: unknown) => {
    if (delivery.signal.aborted) return 'unread' as const;
    throw new OutcomeUnknownError(error);
  });
  if (found === undefined) throw objectVanished(target.location);
  if (found === 'unread') return { ...delivered, verified: false };
  if (found.digest === artefact.digest) return delivered;
  // Other bytes may be anybody's: what does not have our digest is not removed.
  throw leftBehind(otherBytesStored(target.location, artefact, found), target.location);
}

/**
 * Whether what a store took is what it shows. Swift looks for another object when a request begins: of two that are sent at once it
 * takes both, and keeps the one that began later.
 */
async function isStillThere(etag: string, target: ObjectTarget, signal: AbortSignal): Promise<boolean> {
  if (etag === '') return true;
  const head = await target.head(signal).catch((error: unknown) => { throw new OutcomeUnknownError(error); });
  return head?.etag === etag;
}

/** Tries again while it may pass: a request that took effect without an answer is found by the one that follows, as `exists`. */
async function sendWhole(way: ObjectWay, upload: Upload): Promise<UploadOutcome> {
  for (let nth = 1, isUnknown = false, hasExpired = false; ; nth += 1) {
    try {
      const outcome = await way.sendWhole(upload);
      if (outcome.kind === 'exists' && !isUnknown) upload.heeded.resume();
      return outcome;
    } catch (error) {
      isUnknown ||= error instanceof OutcomeUnknownError;
      const cause = error instanceof OutcomeUnknownError ? error.cause : error;
      if (isExpired(cause) && !hasExpired) {
        hasExpired = true;
        if (!isUnknown) upload.heeded.resume();
        continue;
      }
      if (!mayPass(cause) || nth === tryLimit) throw isUnknown ? new OutcomeUnknownError(cause) : error;
      await upload.pause(nth, cause);
    }
  }
}

/** The object that is there, if this task has made it; undefined: nothing is there. Rejects with DESTINATION_EXISTS otherwise. */
async function oursAt(target: ObjectTarget, { ours }: Delivery, signal: AbortSignal): Promise<Delivered | undefined> {
  const head = await target.head(signal);
  if (head === undefined) return undefined;
  // What metadata says of the digest is anybody's word, so all of it is read.
  const found = ours.some(({ sizeBytes }) => sizeBytes === head.sizeBytes) ? await target.read(signal) : head;
  if (found === undefined) return undefined;
  const mine = 'digest' in found && ours.find(({ digest, sizeBytes }) => digest === found.digest && sizeBytes === found.sizeBytes);
  if (mine === false || mine === undefined) throw destinationExists(target.location);
  return { location: target.location, ...mine, verified: true, existed: true };
}

/** Removes what attempts of an export that has ended left unfinished; see `Destinations.removeLeftovers`. */
export async function removeObjectLeftovers(
  way: ObjectWay,
  door: ObjectDoor,
  address: ObjectAddress,
  { taskId, artefacts }: EndedExport,
  { bounds }: ObjectDelivering,
  signal: AbortSignal,
): Promise<void> {
  const target = new ObjectTarget(door, address);
  try {
    await way.removeLeftovers({ target, bounds, taskId, artefacts, isEnded: true }, signal);
  } catch (error) {
    throw asDeliveryError(error);
  }
}

/** Removes what a delivery put there; see `Destinations.withdraw`. */
export async function withdrawObject(
  way: ObjectWay,
  door: ObjectDoor,
  address: ObjectAddress,
  delivered: Delivered,
  signal: AbortSignal,
): Promise<boolean> {
  const target = new ObjectTarget(door, address);
  try {
    const found = await target.read(signal);
    if (found === undefined) return true;
    return found.digest === delivered.digest && await way.remove(target, signal);
  } catch {
    signal.throwIfAborted();
    return false;
  }
}
