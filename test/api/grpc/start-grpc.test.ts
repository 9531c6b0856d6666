import { once } from 'node:events';
import { createRequire } from 'node:module';

import type { Client, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import { Metadata, status } from '@grpc/grpc-js';
import test from 'ava';

import { ApiError } from '../../../src/api/api-error.ts';
import type { Call, Services } from '../../../src/api/call.ts';
import type { GrpcHandle, GrpcOptions } from '../../../src/api/grpc/start-grpc.ts';
import { startGrpc } from '../../../src/api/grpc/start-grpc.ts';
import { ReadImageResponse } from '../../../src/gen/lehr/v1/image_service.ts';
import { GetTaskResponse, WatchTasksResponse } from '../../../src/gen/lehr/v1/task_service.ts';
import { rawClient, toldByGrpc } from '../doors-clients.ts';
import type { LogEntry } from '../doors-stub.ts';
import { aborted, keptLog, stubServices } from '../doors-stub.ts';

const getTask = '/lehr.v1.TaskService/GetTask';
const watchTasks = '/lehr.v1.TaskService/WatchTasks';
const readImage = '/lehr.v1.ImageService/ReadImage';
const nothing = Buffer.alloc(0);
const asIs = (bytes: Buffer): Buffer => bytes;

interface Running {
  readonly grpc: GrpcHandle;
  readonly client: Client;
  readonly log: readonly LogEntry[];
}

/** Starts a server for one test, and stops it after. */
async function serving(services: Services, act: (running: Running) => Promise<void>, more: Partial<GrpcOptions> = {}): Promise<void> {
  const logger = keptLog();
  const grpc = await startGrpc({ services, host: '127.0.0.1', port: 0, logger, ...more });
  const client = rawClient(grpc.port);
  try {
    await act({ grpc, client, log: logger.entries });
  } finally {
    client.close();
    await grpc.stop(0);
  }
}

const unary = (client: Client, path: string, request: Buffer = nothing, options = {}, metadata = new Metadata()): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, asIs, asIs, request, metadata, options, (error, response) => {
      if (error === null) resolve(response ?? nothing);
      else reject(error);
    });
  });

const stream = (client: Client, path: string): ClientReadableStream<Buffer> =>
  client.makeServerStreamRequest(path, asIs, asIs, nothing).on('error', () => undefined);

const failure = async (call: Promise<unknown>): Promise<ServiceError> => {
  try {
    await call;
  } catch (error) {
    return error as ServiceError;
  }
  throw new Error('not refused');
};

/** Bookmarks without end. Says how many were asked for and when it was left. */
function endlessWatch() {
  const state = { asked: 0, returned: false, call: undefined as Call | undefined };
  let left: () => void;
  const leaving = new Promise<void>((resolve) => {
    left = resolve;
  });
  const services = stubServices({
    tasks: {
      async *watchTasks(_request, call) {
        state.call = call;
        try {
          for (;;) {
            state.asked += 1;
            yield WatchTasksResponse.create({ message: { $case: 'bookmark', value: { resumeToken: 'x'.repeat(1000) } } });
          }
        } finally {
          state.returned = true;
          left();
        }
      },
    },
  });
  return { state, services, leaving };
}

test('an answer crosses as one message', async (t) => {
  await serving(stubServices(), async ({ client }) => {
    const { task } = GetTaskResponse.decode(await unary(client, getTask, Buffer.from([0x0a, 0x01, 0x61])));
    t.is(task?.id, 'a');
    t.is(task?.state, 'STATE_RUNNING');
  });
});

test('metadata names the owner, whether that is found at once or later', async (t) => {
  const services = stubServices({ tasks: { getTask: async (_request, { owner }) => GetTaskResponse.create({ task: { owner } }) } });
  const metadata = new Metadata();
  metadata.set('authorization', 'Bearer carol');
  const owner = (header: (name: string) => string | undefined): string => header('authorization')?.slice('Bearer '.length) ?? 'nobody';
  for (const authenticate of [owner, async (header: (name: string) => string | undefined) => owner(header)]) {
    await serving(services, async ({ client }) => {
      t.is(GetTaskResponse.decode(await unary(client, getTask, nothing, {}, metadata)).task?.owner, 'carol');
      t.is(GetTaskResponse.decode(await unary(client, getTask)).task?.owner, 'nobody');
    }, { authenticate });
  }
});

test('a caller who does not say who it is may be refused', async (t) => {
  const refusal = new ApiError('UNAUTHENTICATED', 'TOKEN_MISSING', 'Send a token.');
  for (const authenticate of [() => { throw refusal; }, async () => { throw refusal; }]) {
    await serving(stubServices(), async ({ client }) => {
      t.is(toldByGrpc(await failure(unary(client, getTask))).infos[0]?.reason, 'TOKEN_MISSING');
      const [error] = await once(stream(client, watchTasks), 'error') as [ServiceError];
      t.is(toldByGrpc(error).infos[0]?.reason, 'TOKEN_MISSING');
    }, { authenticate });
  }
});

test('the deadline of a caller aborts the signal, and the status says so', async (t) => {
  let seen: Promise<unknown> | undefined;
  const services = stubServices({
    tasks: {
      getTask: async (_request, call) => {
        seen = aborted(call);
        await seen;
        throw call.signal.reason;
      },
    },
  });
  await serving(services, async ({ client, log }) => {
    // A call that a busy machine has not brought to the server by then is made again, with more time.
    for (let limitMs = 500; seen === undefined; limitMs *= 2) {
      const error = await failure(unary(client, getTask, nothing, { deadline: Date.now() + limitMs }));
      t.is(error.code, status.DEADLINE_EXCEEDED);
    }
    t.true(await seen instanceof ApiError);
    t.deepEqual(log, []);
  });
});

test('a caller who hangs up aborts the signal', async (t) => {
  let asked: (call: Call) => void;
  const asking = new Promise<Call>((resolve) => {
    asked = resolve;
  });
  const services = stubServices({ tasks: { getTask: (_request, call) => new Promise((_resolve, reject) => {
    asked(call);
    void aborted(call).then(reject);
  }) } });
  await serving(services, async ({ client, log }) => {
    const call = client.makeUnaryRequest(getTask, asIs, asIs, nothing, () => undefined);
    const { signal } = await asking;
    call.cancel();
    t.is(((await aborted({ owner: '', signal })) as ApiError).code, 'CANCELLED');
    t.deepEqual(log, []);
  });
});

test('a reader who stops reading holds the stream up, and leaving ends it', async (t) => {
  const { state, services, leaving } = endlessWatch();
  await serving(services, async ({ client }) => {
    const call = stream(client, watchTasks);
    await once(call, 'readable');
    // Windows of HTTP/2 and queues on both sides fill; then nothing more is asked for.
    for (let quietCalls = 0, before = -1; quietCalls < 20; quietCalls = before === state.asked ? quietCalls + 1 : 0) {
      before = state.asked;
      await unary(client, getTask);
    }
    t.true(state.asked < 1000, `${state.asked} messages were asked for`);
    t.false(state.returned);
    call.cancel();
    await leaving;
    t.true(state.returned);
    t.true(state.call?.signal.aborted);
  });
});

test('a reader who reads gets everything', async (t) => {
  const services = stubServices({
    images: {
      async *readImage() {
        for (let index = 0; index < 200; index += 1) yield { data: Buffer.alloc(100_000, index) };
      },
    },
  });
  await serving(services, async ({ client }) => {
    const firstBytes: number[] = [];
    for await (const message of stream(client, readImage)) firstBytes.push(ReadImageResponse.decode(message as Buffer).data[50_000]!);
    t.deepEqual(firstBytes, Array.from({ length: 200 }, (_, index) => index));
  });
});

test('a reader who takes nothing for too long is cut off', async (t) => {
  const { services, leaving } = endlessWatch();
  await serving(services, async ({ client, log }) => {
    const call = stream(client, watchTasks);
    const failed = once(call, 'error') as Promise<[ServiceError]>;
    await once(call, 'readable');
    await leaving;
    call.resume();
    t.is((await failed)[0].code, status.CANCELLED);
    t.deepEqual(log, []);
  }, { stalledReaderTimeoutMs: 100 });
});

test('leaving returns an iterator that is being asked and does not answer', async (t) => {
  let returned: () => void;
  const returning = new Promise<void>((resolve) => {
    returned = resolve;
  });
  let asked: () => void;
  const asking = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const silent: AsyncIterable<never> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        asked();
        return new Promise(() => undefined);
      },
      return: async () => {
        returned();
        return { done: true, value: undefined };
      },
    }),
  };
  await serving(stubServices({ tasks: { watchTasks: () => silent } }), async ({ client }) => {
    const call = stream(client, watchTasks);
    await asking;
    call.cancel();
    await t.notThrowsAsync(returning);
  });
});

test('a stream that ends with a refusal sends first what came before it', async (t) => {
  const services = stubServices({
    tasks: {
      async *watchTasks() {
        for (let count = 0; count < 40; count += 1) yield { message: { $case: 'bookmark', value: { resumeToken: String(count) } } };
        throw new ApiError('UNAVAILABLE', 'WATCH_TOO_SLOW', 'Resume with the last bookmark.');
      },
    },
  });
  await serving(services, async ({ client }) => {
    const call = stream(client, watchTasks);
    const failed = once(call, 'error') as Promise<[ServiceError]>;
    const tokens: (string | undefined)[] = [];
    call.on('data', (bytes: Buffer) => {
      const { message } = WatchTasksResponse.decode(bytes);
      tokens.push(message?.$case === 'bookmark' ? message.value.resumeToken : undefined);
    });
    t.is(toldByGrpc((await failed)[0]).infos[0]?.reason, 'WATCH_TOO_SLOW');
    t.deepEqual(tokens, Array.from({ length: 40 }, (_, index) => String(index)));
  });
});

test('a fault in the clean-up of a stream that was left disturbs nobody', async (t) => {
  const services = stubServices({
    tasks: {
      async *watchTasks() {
        try {
          for (;;) yield WatchTasksResponse.create({ message: { $case: 'bookmark', value: { resumeToken: 'x'.repeat(1000) } } });
        } finally {
          throw new Error('clean-up failed');
        }
      },
    },
  });
  await serving(services, async ({ client, log }) => {
    const call = stream(client, watchTasks);
    await once(call, 'readable');
    call.cancel();
    await once(call, 'close').catch(() => undefined);
    await unary(client, getTask);
    t.true(log.length <= 1);
  });
});

const { service: healthService } = createRequire(import.meta.url)('grpc-health-check') as {
  service: { Check: { requestSerialize(request: object): Buffer; responseDeserialize(bytes: Buffer): { status: string } } };
};
const health = async (client: Client, service: string): Promise<string> => {
  const { Check } = healthService;
  return Check.responseDeserialize(await unary(client, '/grpc.health.v1.Health/Check', Check.requestSerialize({ service }))).status;
};

test('health says SERVING of the server and of each service once told so', async (t) => {
  const names = ['', 'lehr.v1.TaskService', 'lehr.v1.ImageService', 'lehr.v1.EventService'];
  await serving(stubServices(), async ({ client, grpc }) => {
    const all = (): Promise<string[]> => Promise.all(names.map((name) => health(client, name)));
    t.deepEqual(await all(), names.map(() => 'NOT_SERVING'));
    grpc.setServing(true);
    t.deepEqual(await all(), names.map(() => 'SERVING'));
    grpc.setServing(false);
    t.deepEqual(await all(), names.map(() => 'NOT_SERVING'));
    const told = toldByGrpc(await failure(health(client, 'lehr.v1.Nope')));
    t.is(told.code, status.NOT_FOUND);
    t.is(told.infos[0]?.reason, 'SERVICE_UNKNOWN');
  });
});

test('reflection lists the services and describes a message', async (t) => {
  await serving(stubServices(), async ({ client }) => {
    const call = client.makeBidiStreamRequest('/grpc.reflection.v1.ServerReflection/ServerReflectionInfo', asIs, asIs);
    // list_services is field 7 of the request, file_containing_symbol field 4.
    call.write(Buffer.from([0x3a, 0x01, 0x2a]));
    const [list] = await once(call, 'data') as [Buffer];
    for (const name of ['lehr.v1.TaskService', 'lehr.v1.ImageService', 'lehr.v1.EventService']) t.true(list.includes(name));
    const symbol = 'lehr.v1.TaskSpec';
    const asking = Buffer.from(`\x22${String.fromCharCode(symbol.length)}${symbol}`);
    call.write(asking);
    const [file] = await once(call, 'data') as [Buffer];
    t.true(file.includes('lehr/v1/task.proto'));
    t.true(file.includes('google/protobuf/timestamp.proto'));
    call.end();
    call.resume();
    await once(call, 'end');
  });
});

test('a server that stops lets open calls end, and takes no new ones', async (t) => {
  let release: () => void;
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let asked: () => void;
  const asking = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const services = stubServices({
    tasks: {
      getTask: async () => {
        asked();
        await released;
        return GetTaskResponse.create({ task: { id: 'late' } });
      },
    },
  });
  await serving(services, async ({ client, grpc }) => {
    const call = unary(client, getTask);
    await asking;
    const stopped = grpc.stop(60_000);
    t.is((await failure(unary(rawClient(grpc.port), getTask))).code, status.UNAVAILABLE);
    release();
    t.is(GetTaskResponse.decode(await call).task?.id, 'late');
    await t.notThrowsAsync(stopped);
  });
});

test('at the end of the grace the signals of open calls abort, and their callers are told', async (t) => {
  const services = stubServices({
    tasks: {
      async *watchTasks(_request, call) {
        yield { message: { $case: 'bookmark', value: { resumeToken: 'b' } } };
        throw await aborted(call);
      },
    },
  });
  await serving(services, async ({ client, grpc }) => {
    const call = stream(client, watchTasks);
    const failed = once(call, 'error') as Promise<[ServiceError]>;
    await once(call, 'data');
    await grpc.stop(10);
    const told = toldByGrpc((await failed)[0]);
    t.deepEqual([told.code, told.infos[0]?.reason], [status.UNAVAILABLE, 'SERVER_STOPPING']);
  });
});

test('calls that ignore the end of the grace are cut off', async (t) => {
  const services = stubServices({ tasks: { getTask: () => new Promise(() => undefined) } });
  await serving(services, async ({ client, grpc }) => {
    const call = failure(unary(client, getTask));
    await unary(client, '/lehr.v1.TaskService/CancelTask');
    await grpc.stop(10);
    t.true([status.CANCELLED, status.UNAVAILABLE].includes((await call).code));
  });
});

test('a port that is taken is refused by name', async (t) => {
  await serving(stubServices(), async ({ grpc }) => {
    await t.throwsAsync(startGrpc({ services: stubServices(), host: '127.0.0.1', port: grpc.port, logger: keptLog() }),
      { message: new RegExp(`^Cannot listen for gRPC on 127\\.0\\.0\\.1:${grpc.port}: `) });
  });
});
