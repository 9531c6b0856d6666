import { createHash } from 'node:crypto';

import { Event } from '../../../src/gen/lehr/v1/event.ts';
import type { ReadLog } from './read-log.ts';

/** What an event of a log that a test makes up says. */
export type Told = NonNullable<Event['payload']>['$case'] | 'other image';

/** The task of such a log, where its image came from, and when its events happened: a second apart, from this time on. */
export const toldTask = 'c1f0a7de-3f0f-5c55-9d0c-7a4d1b9e5f10';
export const toldSource = 'http://127.0.0.1:1/good';
export const toldDigest = 'sha256:good';
const startMs = Date.UTC(2026, 0, 1);

/** A task expires so long after its end, which is when `taskExpired` follows it directly. */
const ttlMs = 1_000;

/** The log of one task and its image, chained as it must be. */
export function toldLog(task: readonly Told[], image: readonly Told[] = []): ReadLog {
  const log = new Map<string, readonly Event[]>();
  if (task.length > 0) log.set(`tasks/${toldTask}`, stream(`tasks/${toldTask}`, task));
  if (image.length > 0) log.set(`images/${toldTask}`, stream(`images/${toldTask}`, image));
  return log;
}

function stream(subject: string, told: readonly Told[]): readonly Event[] {
  let predecessorHash = '0'.repeat(64);
  return told.map((what, index) => {
    const timeMs = startMs + index * ttlMs;
    const hash = createHash('sha256').update(`${subject} ${index} ${what} ${predecessorHash}`).digest('hex');
    const event = Event.fromPartial({
      subject, revision: BigInt(index + 1), time: new Date(timeMs), predecessorHash, hash, payload: payloadOf(what, timeMs),
    });
    predecessorHash = hash;
    return event;
  });
}

function payloadOf(what: Told, timeMs: number): Event['payload'] {
  const expireTime = new Date(timeMs + ttlMs);
  const digest = what === 'other image' ? 'sha256:other' : toldDigest;
  const spec = { kind: { $case: 'importImage' as const, value: { sourceUri: toldSource } } };
  const $case = what === 'other image' ? 'imageRegistered' : what;
  return Event.fromPartial({ payload: { $case, value: { expireTime, digest, spec } } as never }).payload;
}
