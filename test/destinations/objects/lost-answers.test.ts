import test from 'ava';

import { FailureError } from '../../../src/domain/failures.ts';
import type { Failure } from '../../../src/gen/lehr/v1/failure.ts';
import { artefactOf, delivery, someBytes } from './object-stores.ts';
import { scriptedStore, taken } from './scripted-store.ts';
import type { Answered, Asked } from './scripted-store.ts';

const small = someBytes(70_000);
const large = someBytes(250_000);
const to = (kind: 's3' | 'swift') => ({ uri: `${kind}://images/one`, credential: kind, owner: 'anna' });

const outcomeOf = async (delivering: Promise<unknown>): Promise<Failure> => {
  try {
    await delivering;
  } catch (error) {
    if (error instanceof FailureError) return error.failure;
    throw error;
  }
  throw new Error('It was delivered.');
};

test('swift: a manifest whose answer is lost keeps its segments, whatever the next try is told', async (t) => {
  const { destinations, asked } = await scriptedStore(t, (request) => {
    if (request.query.get('multipart-manifest') === 'put') return request.nth === 1 ? 'lost' : 403;
    return request.method === 'PUT' ? taken(request) : 404;
  });
  t.like(await outcomeOf(destinations.deliver(to('swift'), artefactOf(large), delivery())), {
    reason: 'REASON_DESTINATION_FORBIDDEN', metadata: { left_behind: 'swift://images/one' },
  });
  t.deepEqual(asked.filter((line) => line.startsWith('DELETE')), []);
});

test('s3: where a look is refused the rights that are needed are named', async (t) => {
  const { destinations } = await scriptedStore(t, () => 403);
  const { reason, message } = await outcomeOf(destinations.deliver(to('s3'), artefactOf(small), delivery()));
  t.is(reason, 'REASON_DESTINATION_FORBIDDEN');
  t.regex(message, /s3:ListBucket/);
});

const multipart = (complete: (asked: Asked) => Answered, head: (asked: Asked) => Answered) => (asked: Asked): Answered => {
  if (asked.query.has('uploads')) return { status: 200, body: '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>' };
  if (asked.method === 'PUT') return taken(asked, 200);
  if (asked.method === 'POST') return complete(asked);
  return asked.method === 'HEAD' ? head(asked) : 204;
};

for (const [what, status] of [['throws', 403], ['breaks off', 'lost']] as const) {
  test(`s3: after an upload that may be complete a look that ${what} aborts nothing`, async (t) => {
    // The first look is that before the delivery, the second that before the upload is completed.
    const { destinations, asked } = await scriptedStore(t, multipart(() => 503, ({ nth }) => (nth <= 2 ? 404 : status)));
    t.like((await outcomeOf(destinations.deliver(to('s3'), artefactOf(large), delivery()))).metadata, { left_behind: 's3://images/one' });
    t.deepEqual(asked.filter((line) => line.startsWith('DELETE')), []);
  });
}

for (const kind of ['s3', 'swift'] as const) {
  test(`${kind}: an object whose answer is lost is named, whatever the next try is told`, async (t) => {
    const { destinations } = await scriptedStore(t, ({ method, nth }) => (method === 'PUT' ? nth === 1 ? 'lost' : 403 : 404));
    t.like(await outcomeOf(destinations.deliver(to(kind), artefactOf(small), delivery())), {
      reason: 'REASON_DESTINATION_FORBIDDEN', metadata: { left_behind: `${kind}://images/one` },
    });
  });
}
