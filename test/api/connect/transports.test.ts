import type { DescService } from '@bufbuild/protobuf';
import type { CallOptions, Transport } from '@connectrpc/connect';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import test from 'ava';

import { ApiError } from '../../../src/api/api-error.ts';
import type { Call, Services } from '../../../src/api/call.ts';
import { startGrpc } from '../../../src/api/grpc/start-grpc.ts';
import { startHttp } from '../../../src/api/http/start-http.ts';
import { loadDescriptors } from '../../../src/api/wire/descriptors.ts';
import { Task } from '../../../src/gen/lehr/v1/task.ts';
import { aborted, keptLog, stubServices } from '../doors-stub.ts';

const { registry } = loadDescriptors();

const transports: Readonly<Record<string, (baseUrl: string) => Transport>> = {
  'Connect with JSON': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: false, jsonOptions: { registry } }),
  'Connect with bytes': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1', useBinaryFormat: true }),
  'Connect by GET': (baseUrl) => createConnectTransport({ baseUrl, httpVersion: '1.1', useHttpGet: true }),
  'gRPC-Web': (baseUrl) => createGrpcWebTransport({ baseUrl, httpVersion: '1.1' }),
  gRPC: (baseUrl) => createGrpcTransport({ baseUrl }),
};

interface Message {
  readonly [field: string]: unknown;
}

/** A client without generated code: methods take and give plain messages. */
interface AnyClient {
  readonly [method: string]: (request: Message, options?: CallOptions) => Promise<Message> & AsyncIterable<Message>;
}

const service = (name: string): DescService => {
  const described = registry.getService(name);
  if (described === undefined) throw new Error(`no ${name}`);
  return described;
};

async function calling(transport: string, services: Services,
  act: (tasks: AnyClient, log: readonly object[]) => Promise<void>): Promise<void> {
  const logger = keptLog();
  const http = await startHttp({
    services, host: '127.0.0.1', port: 0, logger, readiness: () => [], metrics: async () => ({ contentType: 'text/plain', text: '' }),
    openImage: async () => {
      throw new ApiError('NOT_FOUND', 'IMAGE_NOT_FOUND', 'There is none.');
    },
  });
  const grpc = await startGrpc({ services, host: '127.0.0.1', port: 0, logger });
  try {
    const { port } = transport === 'gRPC' ? grpc : http;
    const client: unknown = createClient(service('lehr.v1.TaskService'), transports[transport]!(`http://127.0.0.1:${port}`));
    await act(client as AnyClient, logger.entries);
  } finally {
    await Promise.all([http.stop(0), grpc.stop(0)]);
  }
}

const task = Task.create({
  id: 't1', state: 'STATE_RUNNING', revision: 2n ** 60n, createTime: new Date('2026-11-22T08:00:00.123Z'), labels: { env: 'prod' }, attempt: 3,
  spec: { kind: { $case: 'importImage', value: { sourceUri: 'https://example.org/größe.qcow2', sourceFormat: 'DISK_FORMAT_QCOW2' } } },
});

for (const transport of Object.keys(transports)) {
  test(`${transport}: a message crosses whole`, async (t) => {
    await calling(transport, stubServices({ tasks: { getTask: async ({ id }) => ({ task: { ...task, id } }) } }), async (tasks) => {
      const { task: got } = await tasks.getTask!({ id: 'asked' }) as { task: Message };
      t.is(got.id, 'asked');
      t.is(got.state, 2);
      t.is(got.revision, 2n ** 60n);
      t.is(got.attempt, 3);
      t.deepEqual(got.labels, { env: 'prod' });
      const { seconds, nanos } = got.createTime as Message;
      t.deepEqual([seconds, nanos], [1795334400n, 123_000_000]);
      const { kind } = got.spec as { kind: { case: string; value: Message } };
      t.deepEqual([kind.case, kind.value.sourceUri, kind.value.sourceFormat], ['importImage', 'https://example.org/größe.qcow2', 2]);
    });
  });

  test(`${transport}: a stream arrives in order, and its refusal after it`, async (t) => {
    const services = stubServices({ tasks: { async *watchTasks({ filter }) {
      for (let count = 0; count < 100; count += 1) yield { message: { $case: 'bookmark', value: { resumeToken: `${filter}${count}` } } };
      throw new ApiError('UNAVAILABLE', 'WATCH_TOO_SLOW', 'Resume.', { metadata: { resume_token: 'r' } });
    } } });
    await calling(transport, services, async (tasks) => {
      const tokens: unknown[] = [];
      const error = await t.throwsAsync(async () => {
        for await (const { message } of tasks.watchTasks!({ filter: 'f' })) tokens.push((message as { value: Message }).value.resumeToken);
      }, { instanceOf: ConnectError });
      t.deepEqual(tokens, Array.from({ length: 100 }, (_, index) => `f${index}`));
      t.is(error.code, Code.Unavailable);
      const info: unknown[] = error.findDetails(registry.getMessage('google.rpc.ErrorInfo')!);
      t.deepEqual((info as Message[]).map(({ reason, domain, metadata }) => ({ reason, domain, metadata })),
        [{ reason: 'WATCH_TOO_SLOW', domain: 'lehr', metadata: { resume_token: 'r' } }]);
    });
  });

  test(`${transport}: who leaves a stream aborts its signal and ends its iterator`, async (t) => {
    let seen: Call | undefined;
    let ended: () => void;
    const ending = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const services = stubServices({ tasks: { async *watchTasks(_request, call) {
      seen = call;
      try {
        yield { message: { $case: 'bookmark', value: { resumeToken: 'first' } } };
        throw await aborted(call);
      } finally {
        ended();
      }
    } } });
    await calling(transport, services, async (tasks, log) => {
      const controller = new AbortController();
      const error = await t.throwsAsync(async () => {
        for await (const _message of tasks.watchTasks!({}, { signal: controller.signal })) controller.abort();
      }, { instanceOf: ConnectError });
      t.is(error.code, Code.Canceled);
      await ending;
      t.true(seen?.signal.aborted);
      t.deepEqual(log, []);
    });
  });

  test(`${transport}: the deadline of a caller aborts the signal`, async (t) => {
    let seen: Call | undefined;
    const services = stubServices({ tasks: { getTask: async (_request, call) => {
      seen = call;
      throw await aborted(call);
    } } });
    await calling(transport, services, async (tasks, log) => {
      const error = await t.throwsAsync(tasks.getTask!({ id: 'x' }, { timeoutMs: 1000 }), { instanceOf: ConnectError });
      t.is(error.code, Code.DeadlineExceeded);
      await aborted(seen!);
      t.deepEqual(log, []);
    });
  });
}

test('a deadline that the server keeps is told with its ErrorInfo', async (t) => {
  const services = stubServices({ tasks: { getTask: async (_request, call) => {
    throw await aborted(call);
  } } });
  const logger = keptLog();
  const http = await startHttp({
    services, host: '127.0.0.1', port: 0, logger, readiness: () => [], metrics: async () => ({ contentType: 'text/plain', text: '' }),
    openImage: () => Promise.reject(new Error('unused')),
  });
  const response = await fetch(`http://127.0.0.1:${http.port}/lehr.v1.TaskService/GetTask`, {
    method: 'POST', body: '{}', headers: { 'content-type': 'application/json', 'connect-timeout-ms': '10' },
  });
  t.is(response.status, 504);
  t.like(await response.json(), { code: 'deadline_exceeded', details: [{ debug: { reason: 'DEADLINE_EXCEEDED', domain: 'lehr' } }] });
  t.deepEqual(logger.entries, []);
  await http.stop(0);
});
