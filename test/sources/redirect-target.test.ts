import test from 'ava';
import { FailureError } from '../../src/domain/failures.ts';
import type { Reason } from '../../src/gen/lehr/v1/failure.ts';
import { redirectTarget } from '../../src/sources/redirect-target.ts';
import type { SourceAllow } from '../../src/sources/source-allow.ts';

const everywhere: SourceAllow = [{ kind: 'private', port: undefined }];
const from = new URL('https://example.com/a/disk?token=secret');

const refused: readonly (readonly [location: string | undefined, reason: Reason])[] = [
  [undefined, 'REASON_SOURCE_ERROR'],
  ['', 'REASON_SOURCE_ERROR'],
  ['http://[', 'REASON_SOURCE_NOT_ALLOWED'],
  ['https:example.com/b', 'REASON_SOURCE_NOT_ALLOWED'],
  ['https:///example.com/b', 'REASON_SOURCE_NOT_ALLOWED'],
  ['///example.com/b', 'REASON_SOURCE_NOT_ALLOWED'],
  ['/\\example.com/b', 'REASON_SOURCE_NOT_ALLOWED'],
  ['/\t/example.com/b', 'REASON_SOURCE_NOT_ALLOWED'],
  ['//0x7f.1/b', 'REASON_SOURCE_NOT_ALLOWED'],
  ['https://127.1/b', 'REASON_SOURCE_NOT_ALLOWED'],
  ['https://example.com./b', 'REASON_SOURCE_NOT_ALLOWED'],
  ['//user:secret@example.com/b', 'REASON_SOURCE_NOT_ALLOWED'],
  ['http://example.com/a/disk', 'REASON_SOURCE_NOT_ALLOWED'],
  ['file:///etc/passwd', 'REASON_SOURCE_NOT_ALLOWED'],
  ['ftp://example.com/', 'REASON_SOURCE_NOT_ALLOWED'],
  ['https://user:secret@example.com/', 'REASON_SOURCE_NOT_ALLOWED'],
  ['https://169.254.169.254/', 'REASON_SOURCE_NOT_ALLOWED'],
  ['//[fe80::1]/', 'REASON_SOURCE_NOT_ALLOWED'],
];

for (const [location, reason] of refused) {
  test(`a redirect to ${String(location)} is refused`, (t) => {
    const error = t.throws(() => redirectTarget(from, location, everywhere), { instanceOf: FailureError });
    t.is(error.failure.reason, reason);
    t.false(error.failure.retryable);
    t.notRegex(error.message, /secret/);
  });
}

for (const location of ['file:///srv/images/disk', 'ftp://example.com/', 's3://bucket/disk', 'data:,x']) {
  test(`a redirect to ${location} is refused for its scheme, and no setting is blamed`, (t) => {
    const error = t.throws(() => redirectTarget(from, location, everywhere), { instanceOf: FailureError });
    t.is(error.message, 'https://example.com/a/disk redirects to an address that is refused. It is no http or https URL.');
  });
}

for (const location of ['https://127.0.0.1/', '//127.0.0.1:9000/', 'https://[::1]/', 'https://[::ffff:127.0.0.1]/', 'https://10.0.0.1/', '//0.0.0.0/']) {
  test(`a redirect to ${location} is refused where source-allow does not open it, and followed where it does`, (t) => {
    const error = t.throws(() => redirectTarget(from, location, []), { instanceOf: FailureError });
    t.is(error.failure.reason, 'REASON_SOURCE_NOT_ALLOWED');
    t.regex(error.message, /source-allow/);
    t.is(redirectTarget(from, location, everywhere).href, new URL(location, from).href);
  });
}

test('a redirect is relative to the address it came from, and may lead from http to https', (t) => {
  t.is(redirectTarget(from, '../b', []).href, 'https://example.com/b');
  t.is(redirectTarget(from, '//other.example/c', []).href, 'https://other.example/c');
  t.is(redirectTarget(new URL('http://example.com/'), 'https://example.com/', []).href, 'https://example.com/');
});
