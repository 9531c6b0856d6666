import test from 'ava';
import type { ExecutionContext } from 'ava';

import { ApiError } from '../../../src/api/api-error.ts';
import { startHttp } from '../../../src/api/http/start-http.ts';
import { Task } from '../../../src/gen/lehr/v1/task.ts';
import { enveloped } from '../doors-clients.ts';
import { keptLog, stubServices } from '../doors-stub.ts';

const services = stubServices({
  tasks: {
    getTask: async ({ id }) => {
      if (id === 'none') throw new ApiError('NOT_FOUND', 'TASK_NOT_FOUND', 'There is no task none.', { metadata: { task: 'none' } });
      return { task: Task.create({ id, state: 'STATE_RUNNING', revision: 7n, createTime: new Date(0) }) };
    },
    createTask: async ({ spec, labels, ttl, validateOnly }) => ({
      task: Task.create({ id: `${ttl?.seconds}s ${String(validateOnly)}`, spec, labels }), readToken: '', preview: undefined,
    }),
    async *watchTasks() {
      yield { message: { $case: 'removed', value: { id: 'a' } } };
      yield { message: { $case: 'bookmark', value: { resumeToken: 'b' } } };
    },
  },
});

type Got = readonly [status: number, type: string | null, text: string];

const asked = async (t: ExecutionContext, path: string, init: RequestInit): Promise<Got> => {
  const http = await startHttp({
    services, host: '127.0.0.1', port: 0, logger: keptLog(), readiness: () => [], metrics: async () => ({ contentType: '', text: '' }),
    openImage: () => Promise.reject(new Error('unused')),
  });
  t.teardown(() => http.stop(0));
  const response = await fetch(`http://127.0.0.1:${http.port}/lehr.v1.TaskService/${path}`, init);
  return [response.status, response.headers.get('content-type'), await response.text()];
};

const json = { 'content-type': 'application/json' };
const found = '{"task":{"id":"a","state":"STATE_RUNNING","revision":"7","createTime":"1970-01-01T00:00:00Z"}}';

test('a POST of JSON is answered with JSON', async (t) => {
  t.deepEqual(await asked(t, 'GetTask', { method: 'POST', headers: json, body: '{"id":"a"}' }), [200, 'application/json', found]);
});

test('a field may be written as in the proto', async (t) => {
  const body = '{"spec":{"import_image":{"source_uri":"file:///a","source_format":"DISK_FORMAT_RAW"}},"ttl":"90s","validate_only":true}';
  t.deepEqual(await asked(t, 'CreateTask', { method: 'POST', headers: json, body }), [200, 'application/json',
    '{"task":{"id":"90s true","spec":{"importImage":{"sourceUri":"file:///a","sourceFormat":"DISK_FORMAT_RAW"}}}}']);
});

test('a GET of JSON is answered with JSON', async (t) => {
  const query = new URLSearchParams({ encoding: 'json', message: '{"id":"a"}' });
  t.deepEqual(await asked(t, `GetTask?${query.toString()}`, {}), [200, 'application/json', found]);
});

test('an error is JSON whose details a person can read', async (t) => {
  const [status, type, text] = await asked(t, 'GetTask', { method: 'POST', headers: json, body: '{"id":"none"}' });
  t.deepEqual([status, type, JSON.parse(text)], [404, 'application/json', {
    code: 'not_found',
    message: 'There is no task none.',
    details: [{
      type: 'google.rpc.ErrorInfo',
      value: 'Cg5UQVNLX05PVF9GT1VORBIEbGVochoMCgR0YXNrEgRub25l',
      debug: { reason: 'TASK_NOT_FOUND', domain: 'lehr', metadata: { task: 'none' } },
    }],
  }]);
});

test('a stream of JSON comes in envelopes', async (t) => {
  const init = { method: 'POST', headers: { 'content-type': 'application/connect+json' }, body: enveloped('{}') };
  t.deepEqual(await asked(t, 'WatchTasks', init),
    [200, 'application/connect+json', Buffer.concat([enveloped('{"removed":{"id":"a"}}'), enveloped('{"bookmark":{"resumeToken":"b"}}'),
      enveloped('{}', 2)]).toString()]);
});

const refused: readonly (readonly [name: string, init: RequestInit, status: number, reason: string])[] = [
  ['a form', { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: 'id=a' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['plain text, which a page may send anywhere', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: '{}' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['a body without a type', { method: 'POST', body: new Blob(['{}']) }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['a body that says it is compressed and is not', { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' }, 400, 'MALFORMED_REQUEST'],
  ['gRPC, which has its own port', { method: 'POST', headers: { 'content-type': 'application/grpc' }, body: enveloped('') }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  ['an unknown compression', { method: 'POST', headers: { ...json, 'content-encoding': 'zip' }, body: '{}' }, 501, 'MALFORMED_REQUEST'],
  ['a timeout that is no number', { method: 'POST', headers: { ...json, 'connect-timeout-ms': 'soon' }, body: '{}' }, 400, 'MALFORMED_REQUEST'],
];

for (const [name, init, status, reason] of refused) {
  test(`${name} is refused with ${status}`, async (t) => {
    const [got, type, text] = await asked(t, 'GetTask', init);
    const { details } = JSON.parse(text) as { details: { debug: { reason: string } }[] };
    t.deepEqual([got, type, details.map(({ debug }) => debug.reason)], [status, 'application/json', [reason]]);
  });
}
