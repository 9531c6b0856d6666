import type { Artefact } from '../destination.ts';
import { adoptParts } from './adopt-parts.ts';
import type { Earlier } from './adopt-parts.ts';
import { isExpired, mayPass } from './object-failures.ts';
import { PartBodies, skim } from './part-body.ts';
import type { PartBody } from './part-body.ts';
import { counted } from './part-plan.ts';
import type { Part, SentPart } from './part-plan.ts';

/** Parts whose bytes are sent and whose answers have not come. */
const unansweredLimit = 3;

/** A delivery that has broken off so many times without a part more is given up. */
const retryLimit = 4;

/** How parts are sent. */
export interface PartSending {
  /** Sends one part and answers with the ETag that the store gave it, without quotes. */
  put(part: Part, body: PartBody): Promise<string>;
  /** Bytes on their way or there, of `part` and those before it. */
  readonly progress: (bytesDone: number) => void;
  /** Waits before the `nth` retry of what failed with `error`. */
  readonly pause: (nth: number, error: unknown) => Promise<void>;
  readonly signal: AbortSignal;
  /** What died attempts left; undefined: nothing. */
  readonly earlier?: Earlier;
}

/**
 * Sends the parts of an artefact one after the other over one reading of it, without keeping any: the next one begins while the
 * store still writes the last. Where a part breaks off the artefact is read again from there, and what has arrived is not sent
 * again, nor what an earlier attempt has sent. Rejects with what the last retry rejected with.
 */
export async function sendParts(artefact: Artefact, plan: readonly Part[], sending: PartSending): Promise<readonly SentPart[]> {
  const sent = sending.earlier === undefined ? new Map<number, SentPart>() : await adoptParts(artefact, plan, sending.earlier, sending);
  for (let retries = 0, hasExpired = false; ; ) {
    const before = sent.size;
    try {
      if (sent.size < plan.length) await sendMissing(artefact, plan, sent, sending);
      return plan.map(({ number }) => sent.get(number)).filter((part) => part !== undefined);
    } catch (error) {
      const hasMore = sent.size > before;
      if (isExpired(error) && (hasMore || !hasExpired)) {
        hasExpired = true;
        continue;
      }
      if (hasMore) hasExpired = false;
      retries = hasMore ? 1 : retries + 1;
      if (!mayPass(error) || retries > retryLimit) throw error;
      await sending.pause(retries, error);
    }
  }
}

async function sendMissing(artefact: Artefact, plan: readonly Part[], sent: Map<number, SentPart>, sending: PartSending): Promise<void> {
  const first = plan.findIndex(({ number }) => !sent.has(number));
  const bodies = new PartBodies(artefact.chunks(plan[first]?.offset ?? 0, sending.signal));
  const unanswered = new Set<Promise<void>>();
  try {
    await bodies.begin();
    for (const part of plan.slice(first)) {
      const body = bodies.next(part.sizeBytes, counted(part, sending.progress));
      if (sent.has(part.number)) {
        await skim(body);
        continue;
      }
      const answer = sending.put(part, body).then((etag) => {
        if (body.md5 === undefined) throw new Error('A store answered before it had the whole part.');
        sent.set(part.number, { ...part, md5: body.md5, etag });
        unanswered.delete(answer);
      });
      unanswered.add(answer);
      await Promise.race([body.taken, ...unanswered]);
      // An answer that came early says that the body is taken, or it has failed.
      await Promise.race([body.taken, answer]);
      while (unanswered.size >= unansweredLimit) await Promise.race(unanswered);
    }
    await Promise.all(unanswered);
  } finally {
    // What is still on its way may arrive, and need not be sent again then.
    await Promise.allSettled([...unanswered, bodies.close()]);
  }
}
