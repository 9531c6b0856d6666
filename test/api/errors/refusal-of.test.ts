import test from 'ava';

import { ApiError } from '../../../src/api/api-error.ts';
import { refusalOf } from '../../../src/api/errors/refusal-of.ts';

function reported() {
  const causes: unknown[] = [];
  return {
    causes,
    incidents: {
      report: (cause: unknown): string => {
        causes.push(cause);
        return 'i1';
      },
    },
  };
}

const shown = ({ code, reason, message, metadata, violations }: ApiError): object => ({ code, reason, message, metadata, violations });
const stopping = new ApiError('UNAVAILABLE', 'SERVER_STOPPING', 'Call again.');
const bug = new TypeError('reading secret of undefined');
const circular = new Error('a circle');
circular.cause = circular;

const fault = { code: 'INTERNAL', reason: 'INTERNAL', message: 'This server failed; its log tells why under incident i1.',
  metadata: { incident_id: 'i1' }, violations: [] };
const left = { code: 'CANCELLED', reason: 'CANCELLED', message: 'The caller ended the call before it was answered.', metadata: {}, violations: [] };
const gone = new Error('gone');

const cases: readonly (readonly [name: string, thrown: unknown, signal: AbortSignal | undefined, refusal: object])[] = [
  ['a refusal', stopping, undefined, shown(stopping)],
  ['a bug', bug, undefined, fault],
  ['a bug after the caller left', bug, AbortSignal.abort(gone), fault],
  ['a text', 'oops', undefined, fault],
  ['undefined', undefined, undefined, fault],
  ['a circle of causes', circular, AbortSignal.abort(gone), fault],
  ['the reason of the signal', gone, AbortSignal.abort(gone), left],
  ['an error that the signal caused', new Error('read failed', { cause: new Error('socket', { cause: gone }) }), AbortSignal.abort(gone), left],
  ['an AbortError of Node', new DOMException('aborted', 'AbortError'), AbortSignal.abort(gone), left],
  ['an AbortError of some other signal', new DOMException('aborted', 'AbortError'), new AbortController().signal, fault],
  ['an error caused by the end of the server', new Error('read failed', { cause: stopping }), AbortSignal.abort(stopping), shown(stopping)],
];

for (const [name, thrown, signal, refusal] of cases) {
  test(`${name} becomes ${(refusal as ApiError).reason}`, (t) => {
    const { causes, incidents } = reported();
    t.deepEqual(shown(refusalOf(thrown, signal, incidents)), refusal);
    t.deepEqual(causes, refusal === fault ? [thrown] : []);
  });
}
