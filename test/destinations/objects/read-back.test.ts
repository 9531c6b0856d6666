import test from 'ava';

import { FailureError } from '../../../src/domain/failures.ts';
import { artefactOf, delivery, found, someBytes } from './object-stores.ts';
import { scriptedStore } from './scripted-store.ts';

const bytes = someBytes(70_000);
const to = (kind: 's3' | 'swift') => ({ uri: `${kind}://images/one`, credential: kind, owner: 'anna' });

test('an abort that comes while the object is read back leaves it, unverified', async (t) => {
  const controller = new AbortController();
  let isThere = false;
  const { destinations } = await scriptedStore(t, ({ method }) => {
    if (method === 'GET') controller.abort(new Error('canceled'));
    if (method === 'PUT') isThere = true;
    return method === 'PUT' ? { status: 201, headers: { etag: '"none-of-md5"' } } : isThere ? { status: 200, headers: { etag: '"none-of-md5"' } } : 404;
  });
  t.like(await destinations.deliver(to('s3'), artefactOf(bytes), delivery({ signal: controller.signal })), { ...found(bytes), verified: false });
});

test('an abort is heeded again once a store has refused an object for its condition', async (t) => {
  const controller = new AbortController();
  const { destinations, asked } = await scriptedStore(t, ({ method }) => {
    if (method !== 'PUT') return 404;
    controller.abort(new Error('canceled'));
    return 501;
  });
  await t.throwsAsync(destinations.deliver(to('s3'), artefactOf(bytes), delivery({ signal: controller.signal })), { message: 'canceled' });
  t.is(asked.filter((line) => line.startsWith('PUT')).length, 1);
});

for (const kind of ['s3', 'swift'] as const) {
  test(`${kind}: what holds other bytes than were sent is named, and stays`, async (t) => {
    let isThere = false;
    const other = someBytes(70_000, 'other');
    const { destinations, asked } = await scriptedStore(t, ({ method }) => {
      if (method === 'PUT') isThere = true;
      if (method === 'PUT') return { status: 201, headers: { etag: '"none-of-md5"' } };
      return isThere ? { status: 200, headers: { etag: '"none-of-md5"' }, body: method === 'HEAD' ? '' : other } : 404;
    });
    const error = await t.throwsAsync(destinations.deliver(to(kind), artefactOf(bytes), delivery()), { instanceOf: FailureError });
    t.like(error.failure, {
      reason: 'REASON_DIGEST_MISMATCH',
      metadata: { left_behind: `${kind}://images/one`, expected: found(bytes).digest, actual: found(other).digest },
    });
    t.deepEqual(asked.filter((line) => line.startsWith('DELETE')), []);
  });
}
