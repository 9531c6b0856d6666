import { wholeContent } from '../http-question.ts';
import { openPartsOf } from '../open-http-ranges.ts';
import { NotTheRestError, restOf } from '../rest-question.ts';
import type { RangedSource, Receiver, ResumePoint } from '../source.ts';
import { askObject, shownUrl } from './ask-object.ts';
import type { ObjectReading } from './ask-object.ts';

/** Reads an object into `receiver`; see `Sources.read`. A large object of Swift, static or dynamic, is read like any other. */
export async function readObject(
  reading: ObjectReading,
  resume: ResumePoint | undefined,
  receiver: Receiver,
  signal: AbortSignal,
): Promise<void> {
  const shown = shownUrl(reading.address);
  if (resume !== undefined) {
    try {
      await askObject(reading, restOf(shown, resume, reading.limits), receiver, signal);
      return;
    } catch (error) {
      if (!(error instanceof NotTheRestError)) throw error;
    }
  }
  await askObject(reading, wholeContent(shown, reading.limits), receiver, signal);
}

/** Opens an object for reading in parts; see `Sources.openRanges`. */
export async function openObjectRanges(reading: ObjectReading, signal: AbortSignal): Promise<RangedSource> {
  const shown = shownUrl(reading.address);
  return openPartsOf(shown, reading.limits, {
    async first(question, receiver, firstSignal) {
      await askObject(reading, question(shown), receiver, firstSignal);
      return shown;
    },
    async further(_url, question, receiver, furtherSignal) {
      await askObject(reading, question, receiver, furtherSignal);
      return 'received';
    },
  }, signal);
}
