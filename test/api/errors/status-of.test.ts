import test from 'ava';

import { ApiError } from '../../../src/api/api-error.ts';
import { errorJson, unpadded } from '../../../src/api/errors/error-json.ts';
import { statusCodes } from '../../../src/api/errors/status-codes.ts';
import { statusBytes, statusOf } from '../../../src/api/errors/status-of.ts';
import { Code, codeToNumber } from '../../../src/gen/google/rpc/code.ts';
import { BadRequest, ErrorInfo } from '../../../src/gen/google/rpc/error_details.ts';

test('every code has the number of google.rpc.Code', (t) => {
  for (const [code, { grpc }] of Object.entries(statusCodes)) t.is(grpc, codeToNumber(Code[code as keyof typeof Code]), code);
});

test('a refusal is one ErrorInfo, and one BadRequest where fields are to blame', (t) => {
  const violations = [{ field: 'a.b', description: 'is empty' }, { field: 'c', description: 'is 5' }];
  const { code, message, details } = statusOf(new ApiError('INVALID_ARGUMENT', 'INVALID_REQUEST', 'a.b: is empty', { metadata: { k: 'v' }, violations }));
  t.deepEqual([code, message], [3, 'a.b: is empty']);
  t.deepEqual(details.map(({ typeUrl }) => typeUrl), ['type.googleapis.com/google.rpc.ErrorInfo', 'type.googleapis.com/google.rpc.BadRequest']);
  t.deepEqual(ErrorInfo.decode(details[0]!.value), { reason: 'INVALID_REQUEST', domain: 'lehr', metadata: { k: 'v' } });
  t.like(BadRequest.decode(details[1]!.value), { fieldViolations: violations });
});

test('a refusal without violations has no BadRequest', (t) => {
  t.is(statusOf(new ApiError('NOT_FOUND', 'TASK_NOT_FOUND', 'none')).details.length, 1);
});

test('an error that repeats a hostile request stays small enough for trailers', (t) => {
  const huge = '\ud83d\ude00ディスク\n'.repeat(1_000_000);
  const refusal = new ApiError('INVALID_ARGUMENT', 'INVALID_REQUEST', huge, {
    metadata: Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`${index}${huge}`, huge])),
    violations: Array.from({ length: 100 }, () => ({ field: huge, description: huge })),
  });
  t.true(unpadded(statusBytes(refusal)).length + encodeURI(statusOf(refusal).message).length < 15_000);
  const json = JSON.stringify(errorJson(refusal));
  t.true(json.isWellFormed());
});
