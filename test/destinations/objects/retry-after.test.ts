import test from 'ava';

import { FailureError } from '../../../src/domain/failures.ts';
import { artefactOf, delivery, someBytes } from './object-stores.ts';
import { scriptedStore, taken } from './scripted-store.ts';
import type { Answered, Asked } from './scripted-store.ts';

const small = someBytes(70_000);
const large = someBytes(250_000);
const to = (kind: 's3' | 'swift') => ({ uri: `${kind}://images/one`, credential: kind, owner: 'anna' });
const busy = (retryAfter: string): Answered => ({ status: 503, headers: { 'retry-after': retryAfter, date: 'Thu, 01 Jan 2026 12:00:00 GMT' } });

for (const kind of ['s3', 'swift'] as const) {
  test(`${kind}: a store that says when to come again is not asked before, and no longer than a minute is waited for`, async (t) => {
    const wanted = ['7', '3600', 'Thu, 01 Jan 2026 12:00:09 GMT', undefined];
    const { destinations, pauses } = await scriptedStore(t, (asked) => {
      if (asked.method !== 'PUT') return 404;
      return asked.nth === 4 ? taken(asked) : busy(wanted[asked.nth - 1] ?? '');
    });
    const delivering = destinations.deliver(to(kind), artefactOf(small), delivery());
    // It shows nothing of what it took.
    await t.throwsAsync(delivering, { instanceOf: FailureError });
    t.deepEqual(pauses, [7_000, 60_000, 9_000]);
  });

  test(`${kind}: the next attempt is told when a busy store wants to be asked again`, async (t) => {
    const { destinations } = await scriptedStore(t, () => busy('120'));
    const { failure } = await t.throwsAsync(destinations.deliver(to(kind), artefactOf(small), delivery()), { instanceOf: FailureError });
    t.like(failure, { reason: 'REASON_DESTINATION_UNREACHABLE', retryable: true, metadata: { http_status: '503', retry_after_seconds: '120' } });
  });
}

const multipart = (asked: Asked): Answered => {
  if (asked.query.has('uploads')) return { status: 200, body: '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>' };
  if (asked.method === 'PUT') return asked.nth === 1 && asked.query.get('partNumber') === '1' ? busy('5') : taken(asked, 200);
  if (asked.method === 'POST') return asked.nth <= 1 ? busy('11') : { status: 200, body: '<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>' };
  return asked.method === 'HEAD' ? 404 : 204;
};

test('s3: parts wait, and the end of an upload', async (t) => {
  const { destinations, pauses } = await scriptedStore(t, multipart);
  await t.throwsAsync(destinations.deliver(to('s3'), artefactOf(large), delivery()), { instanceOf: FailureError });
  t.deepEqual(pauses, [5_000, 11_000]);
});

test('swift: segments wait, and the manifest', async (t) => {
  const { destinations, pauses } = await scriptedStore(t, (asked) => {
    if (asked.method !== 'PUT') return 404;
    if (asked.query.get('multipart-manifest') === 'put') return asked.nth === 1 ? busy('11') : taken(asked);
    return asked.path.endsWith('/00000001') && asked.nth === 1 ? busy('5') : taken(asked);
  });
  await t.throwsAsync(destinations.deliver(to('swift'), artefactOf(large), delivery()), { instanceOf: FailureError });
  t.deepEqual(pauses, [5_000, 11_000]);
});
