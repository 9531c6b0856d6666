import test from 'ava';

import { FailureError } from '../../../src/domain/failures.ts';
import { artefactOf, delivery, found, someBytes } from './object-stores.ts';
import { md5, scriptedStore, taken } from './scripted-store.ts';
import type { Answered, Asked } from './scripted-store.ts';

const small = someBytes(70_000);
const large = someBytes(450_000);
const to = { uri: 'swift://images/one', credential: 'swift', owner: 'anna' };

/** Takes what comes with a token that is valid at the time, and shows what it has. */
function swift(isValid: (asked: Asked) => boolean): (asked: Asked) => Answered {
  const etags = new Map<string, string>();
  return (asked) => {
    if (!isValid(asked)) return 401;
    if (asked.method !== 'PUT') return etags.has(asked.path) ? { status: 200, headers: { etag: etags.get(asked.path) ?? '' } } : 404;
    const parts = asked.query.has('multipart-manifest') ? (JSON.parse(asked.body.toString()) as { etag: string }[]).map(({ etag }) => etag) : undefined;
    etags.set(asked.path, parts === undefined ? md5(asked.body) : md5(parts.join('')));
    return { status: 201, headers: { etag: etags.get(asked.path) ?? '' } };
  };
}

test('a token that expires while a small object is sent is renewed, and the object sent again', async (t) => {
  let isExpired = false;
  const { destinations, asked } = await scriptedStore(t, swift(({ method, headers }) => {
    isExpired ||= method === 'PUT';
    return !isExpired || headers['x-auth-token'] !== 'token-1';
  }));
  t.like(await destinations.deliver(to, artefactOf(small), delivery()), { ...found(small), verified: true });
  t.is(asked.filter((line) => line === 'PUT /v1/images/one').length, 2);
});

test('a token that expires while a segment is sent is renewed, and what has arrived is not sent again', async (t) => {
  let isExpired = false;
  const { destinations, asked } = await scriptedStore(t, swift(({ path, headers }) => {
    isExpired ||= path.endsWith('00000002');
    return !isExpired || headers['x-auth-token'] !== 'token-1';
  }));
  t.like(await destinations.deliver(to, artefactOf(large), delivery()), { ...found(large), verified: true });
  t.is(asked.filter((line) => line.endsWith('00000001')).length, 1);
});

for (const [what, bytes] of [['a small object', small], ['a large one', large]] as const) {
  test(`where ${what} is refused with every token, two are tried`, async (t) => {
    const tokens = new Set<unknown>();
    const { destinations } = await scriptedStore(t, (asked) => {
      if (asked.method !== 'PUT' || asked.body.length < 10_000) return asked.method === 'HEAD' ? 404 : taken(asked);
      tokens.add(asked.headers['x-auth-token']);
      return 401;
    });
    const error = await t.throwsAsync(destinations.deliver(to, artefactOf(bytes), delivery()), { instanceOf: FailureError });
    t.like(error.failure, { reason: 'REASON_DESTINATION_FORBIDDEN', metadata: { http_status: '401' } });
    t.deepEqual([...tokens], ['token-1', 'token-2']);
  });
}
