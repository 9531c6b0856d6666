import { EndpointError, StatusError } from '../../sources/objects/endpoint-error.ts';
import type { Artefact } from '../destination.ts';
import { PartBodies, skim } from './part-body.ts';
import { counted } from './part-plan.ts';
import type { Part, SentPart } from './part-plan.ts';

/** A part that lies at the store, as the store tells of it. */
export interface LeftPart {
  readonly sizeBytes: number;
  readonly etag: string;
}

/** What died attempts of the task left, by number of the part, and how a part of it becomes one of this attempt. */
export interface Earlier {
  readonly parts: ReadonlyMap<number, LeftPart>;
  /** Answers with the ETag of the part as it lies there for this attempt. */
  readonly adopt: (part: Part) => Promise<string>;
}

/**
 * The parts that need not be sent: those that the store has with the MD5 of the artefact's own bytes, which are read for that from the
 * beginning up to the last part that was left. What cannot be adopted is sent.
 */
export async function adoptParts(
  artefact: Artefact,
  plan: readonly Part[],
  { parts, adopt }: Earlier,
  { progress, signal }: { readonly progress: (bytesDone: number) => void; readonly signal: AbortSignal },
): Promise<Map<number, SentPart>> {
  const adopted = new Map<number, SentPart>();
  const end = 1 + plan.findLastIndex(({ number, sizeBytes }) => parts.get(number)?.sizeBytes === sizeBytes);
  if (end === 0) return adopted;
  const bodies = new PartBodies(artefact.chunks(0, signal));
  try {
    for (const part of plan.slice(0, end)) {
      const md5 = await skim(bodies.next(part.sizeBytes, counted(part, progress)));
      if (parts.get(part.number)?.etag !== md5) continue;
      const etag = await adopt(part).catch(unlessAnswered);
      if (etag === md5) adopted.set(part.number, { ...part, md5, etag });
    }
    return adopted;
  } finally {
    await bodies.close();
  }
}

/** What a store refuses to show or to adopt is sent as if nothing had been left. */
export function unlessAnswered(error: unknown): undefined {
  if (!(error instanceof StatusError || error instanceof EndpointError)) throw error;
}
