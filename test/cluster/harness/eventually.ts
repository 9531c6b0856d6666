import { setTimeout as pause } from 'node:timers/promises';

import { patienceMs } from './within.ts';

/** Between two looks at what tells nobody when it changes. */
const lookEveryMs = 50;

/**
 * What `look` gives once it is as asked for; rejects, with what it gave last, after `limitMs`. For what can only be looked at, such as
 * /readyz and metrics; everything else is followed.
 */
export async function eventually<Seen>(
  what: string, look: () => Promise<Seen>, isAsAsked: (seen: Seen) => boolean, limitMs = patienceMs,
): Promise<Seen> {
  for (const endMs = performance.now() + limitMs; ;) {
    const seen = await look();
    if (isAsAsked(seen)) return seen;
    if (performance.now() > endMs) throw new Error(`${what}: not within ${limitMs / 1_000} s, but ${JSON.stringify(seen)}`);
    await pause(lookEveryMs);
  }
}
