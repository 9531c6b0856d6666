import { Refused } from '../../acceptance/harness/refused.ts';
import { patienceMs } from './within.ts';

/** Calls again for as long as the answer is UNAVAILABLE, which alone says that the same may succeed later; anything else is the answer. */
export async function insist<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  for (const endMs = performance.now() + patienceMs; ;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof Refused) || error.refusal.code !== 'UNAVAILABLE' || performance.now() > endMs) throw error;
    }
  }
}
