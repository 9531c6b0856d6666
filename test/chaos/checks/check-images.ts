import { digestOf } from '../../acceptance/harness/disk-images.ts';
import type { Random } from '../../simulation/random.ts';
import type { Ledger } from '../ledger.ts';
import type { ReadLog } from './read-log.ts';

/** Every image that is registered and not deleted can be downloaded, from whatever node, and its bytes have its digest. */
export async function checkImages(ledger: Ledger, log: ReadLog, httpUrls: readonly string[], random: Random): Promise<void> {
  for (const [subject, events] of log) {
    const [first] = events;
    if (first?.payload?.$case !== 'imageRegistered' || events.at(-1)?.payload?.$case === 'imageDeleted') continue;
    const url = `${random.pick(httpUrls)}/${subject}/data`;
    const response = await fetch(url);
    const digest = response.status === 200 ? digestOf(await response.bytes()) : `status ${response.status}: ${await response.text()}`;
    ledger.count('image downloaded');
    if (digest !== first.payload.value.digest) {
      ledger.violate('the bytes of every image have its digest', subject, [`${url} gave ${digest}`, `registered: ${first.payload.value.digest}`]);
    }
  }
}
