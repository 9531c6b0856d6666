import test from 'ava';

import { planParts } from '../../../src/destinations/objects/part-plan.ts';
import { sendParts } from '../../../src/destinations/objects/send-parts.ts';
import { skim } from '../../../src/destinations/objects/part-body.ts';
import { EndpointError } from '../../../src/sources/objects/endpoint-error.ts';
import { artefactOf, smallParts, someBytes } from './object-stores.ts';
import { md5 } from './scripted-store.ts';

test('what has arrived is not sent again, though what was sent before it has not', async (t) => {
  const bytes = someBytes(450_000);
  const plan = planParts(bytes.length, smallParts);
  const put: number[] = [];
  const arrived = Promise.withResolvers<void>();
  const sent = await sendParts(artefactOf(bytes), plan, {
    async put(part, body) {
      put.push(part.number);
      const etag = await skim(body);
      if (part.number === 3) arrived.resolve();
      if (part.number !== 2 || put.filter((number) => number === 2).length > 1) return etag;
      // Its answer is lost once the next one has arrived.
      await arrived.promise;
      throw new EndpointError(new URL('swift://images/one'), Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
    },
    progress: () => undefined,
    pause: async () => undefined,
    signal: new AbortController().signal,
  });
  t.is(put.filter((number) => number === 2).length, 2);
  // The fourth was on its way when the second failed.
  t.deepEqual(put.filter((number) => number === 1 || number === 3), [1, 3]);
  t.deepEqual(sent.map((part) => part.md5), plan.map(({ offset, sizeBytes }) => md5(bytes.subarray(offset, offset + sizeBytes))));
});
