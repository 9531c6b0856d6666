import { readFile } from 'node:fs/promises';

import test from 'ava';

import { failure, FailureError, failureMessageLimit, isRetryableReason, type ReasonName } from '../../src/domain/failures.ts';

const proto = await readFile(new URL('../../proto/lehr/v1/failure.proto', import.meta.url), 'utf8');

/** Each value of the enum with the comment above it, on one line. */
const documented = [...proto.matchAll(/((?:^ {2}\/\/.*\n)+) {2}REASON_(\w+) = \d+;/gm)].map(([, comment = '', name = '']) => ({
  name,
  comment: comment.replaceAll(/^ {2}\/\/ ?/gm, '').trim().replaceAll('\n', ' '),
}));
const reasons = documented.filter(({ name }) => name !== 'UNSPECIFIED');

test('the proto and the table have the same reasons', (t) => {
  t.deepEqual(reasons.map(({ name }) => name).toSorted(), Object.keys(isRetryableReason).toSorted());
});

for (const { name, comment } of reasons) {
  test(`${name} names cause, remedy and whether a retry helps`, (t) => {
    t.regex(comment, /^Cause: \S.*[.!] Remedy: \S.*\. (?:Not retryable|Retryable)(?:\.| as `retryable` says\.)$/);
    t.is(!comment.includes('Not retryable'), isRetryableReason[name as ReasonName]);
  });
}

test('a failure has its reason\'s default, which its maker may overrule', (t) => {
  t.deepEqual(failure('SOURCE_ERROR', 'The source answered 500.', { http_status: '500' }), {
    reason: 'REASON_SOURCE_ERROR', stage: '', message: 'The source answered 500.', metadata: { http_status: '500' }, retryable: true,
  });
  t.false(failure('SOURCE_ERROR', 'The source answered 418.', {}, false).retryable);
});

test('a message is cut at its limit', (t) => {
  t.is(failure('STORE_FULL', 'x'.repeat(failureMessageLimit + 1)).message, 'x'.repeat(failureMessageLimit));
});

test('an error carries a failure and what caused it', (t) => {
  const value = failure('STORE_FULL', 'No room.');
  const cause = new Error('ENOSPC');
  const error = new FailureError(value, { cause });
  t.deepEqual([error.name, error.message, error.failure, error.cause], ['FailureError', 'No room.', value, cause]);
});
