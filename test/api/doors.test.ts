import test from 'ava';

import type { ApiCode } from '../../src/api/api-error.ts';
import { ApiError } from '../../src/api/api-error.ts';
import { statusCodes } from '../../src/api/errors/status-codes.ts';
import { startGrpc } from '../../src/api/grpc/start-grpc.ts';
import { startHttp } from '../../src/api/http/start-http.ts';
import { CancelTaskRequest, CreateTaskRequest, WatchTasksRequest } from '../../src/gen/lehr/v1/task_service.ts';
import type { Refused, Told } from './doors-clients.ts';
import { overConnect, overConnectStream, overGrpc, overGrpcStream, overGrpcWeb, post, rawClient, toldByConnect } from './doors-clients.ts';
import type { LogEntry } from './doors-stub.ts';
import { keptLog, stubServices } from './doors-stub.ts';

const taskService = '/lehr.v1.TaskService';

/** The stub refuses with the code that is given as the id or the filter. */
function refuse(code: string): never {
  if (code === 'BUG') throw new Error('open /secret/path');
  throw new ApiError(code as ApiCode, `REASON_OF_${code}`, `It is ${code}, "quoted", 100 % größer.`, {
    metadata: { task: 't1' },
    violations: code === 'INVALID_ARGUMENT' ? [{ field: 'spec.import_image.source_uri', description: 'has no scheme' }] : [],
  });
}

const services = stubServices({
  tasks: {
    cancelTask: async ({ id }) => refuse(id),
    async *watchTasks({ filter }) {
      yield { message: { $case: 'bookmark', value: { resumeToken: 'b1' } } };
      refuse(filter);
    },
  },
});

interface Doors {
  readonly unary: ReadonlyMap<string, Refused>;
  readonly streaming: ReadonlyMap<string, Refused>;
  readonly base: string;
  readonly log: readonly LogEntry[];
}

let doors: Doors;
let close: () => Promise<void>;

test.before(async () => {
  const logger = keptLog();
  const newIncidentId = (): string => 'i1';
  const grpc = await startGrpc({ services, host: '127.0.0.1', port: 0, logger, newIncidentId });
  const http = await startHttp({
    services, host: '127.0.0.1', port: 0, logger, newIncidentId,
    openImage: async () => refuse('NOT_FOUND'),
    readiness: () => [],
    metrics: async () => ({ contentType: 'text/plain', text: '' }),
  });
  const client = rawClient(grpc.port);
  const base = `http://127.0.0.1:${http.port}`;
  doors = {
    unary: new Map([['gRPC', overGrpc(client)], ['Connect', overConnect(base)], ['gRPC-Web', overGrpcWeb(base)]]),
    streaming: new Map([['gRPC', overGrpcStream(client)], ['Connect', overConnectStream(base)], ['gRPC-Web', overGrpcWeb(base)]]),
    base,
    log: logger.entries,
  };
  close = async () => {
    client.close();
    await Promise.all([grpc.stop(1000), http.stop(1000)]);
  };
});

test.after.always(() => close());

const everywhere = async (refused: ReadonlyMap<string, Refused>, path: string, request: Uint8Array): Promise<Record<string, Told>> =>
  Object.fromEntries(await Promise.all([...refused].map(async ([door, call]) => [door, await call(path, request)] as const)));

const likewise = (told: Told): Record<string, Told> => ({ gRPC: told, Connect: told, 'gRPC-Web': told });

for (const code of Object.keys(statusCodes) as ApiCode[]) {
  const told: Told = {
    code: statusCodes[code].grpc,
    message: `It is ${code}, "quoted", 100 % größer.`,
    infos: [{ reason: `REASON_OF_${code}`, domain: 'lehr', metadata: { task: 't1' } }],
    violations: code === 'INVALID_ARGUMENT' ? [{ field: 'spec.import_image.source_uri', description: 'has no scheme' }] : [],
  };

  test(`${code} reads the same at every door`, async (t) => {
    const request = CancelTaskRequest.encode({ id: code }).finish();
    t.deepEqual(await everywhere(doors.unary, `${taskService}/CancelTask`, request), likewise(told));
  });

  test(`${code} at the end of a stream reads the same at every door`, async (t) => {
    const request = WatchTasksRequest.encode({ filter: code, resumeToken: '' }).finish();
    t.deepEqual(await everywhere(doors.streaming, `${taskService}/WatchTasks`, request), likewise(told));
  });
}

test('a fault of the server tells its incident at every door, and its cause in the log alone', async (t) => {
  const told: Told = {
    code: 13,
    message: 'This server failed; its log tells why under incident i1.',
    infos: [{ reason: 'INTERNAL', domain: 'lehr', metadata: { incident_id: 'i1' } }],
    violations: [],
  };
  t.deepEqual(await everywhere(doors.unary, `${taskService}/CancelTask`, CancelTaskRequest.encode({ id: 'BUG' }).finish()), likewise(told));
  const watch = WatchTasksRequest.encode({ filter: 'BUG', resumeToken: '' }).finish();
  t.deepEqual(await everywhere(doors.streaming, `${taskService}/WatchTasks`, watch), likewise(told));
  t.deepEqual(doors.log.map(({ level, fields }) => ({ level, cause: ((fields as { err: Error }).err).message })),
    Array.from({ length: 6 }, () => ({ level: 'error', cause: 'open /secret/path' })));
});

/** Requests in bytes that no method takes. 0x0a is field 1 as text, 0x12 field 2. */
const badBytes: readonly { readonly name: string; readonly method?: string; readonly bytes: readonly number[] }[] = [
  { name: 'a text that ends too early', bytes: [0x0a, 0x05, 0x61] },
  { name: 'a number without an end', bytes: [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff] },
  { name: 'text that is no UTF-8', bytes: [0x0a, 0x02, 0xc3, 0x28] },
  { name: 'a tag of zero', bytes: [0x00, 0x0a, 0x01, 0x61] },
  { name: 'the end of a group that never began', bytes: [0x0c, 0x0a, 0x01, 0x61] },
  { name: 'a wire type that there is not', bytes: [0x0f, 0x01] },
  { name: 'a JPEG', bytes: [0xff, 0xd8, 0xff, 0xe0, 0x00, 0x10, 0x4a, 0x46, 0x49, 0x46] },
  { name: 'a message in it that ends too early', method: 'CreateTask', bytes: [0x0a, 0x04, 0x0a, 0x7f, 0x0a, 0x01] },
];

const malformed = {
  code: 3,
  infos: [{ reason: 'MALFORMED_REQUEST', domain: 'lehr', metadata: {} }],
  violations: [],
};

for (const { name, method = 'GetTask', bytes } of badBytes) {
  test(`${name} is a malformed request at every door`, async (t) => {
    const told = await everywhere(doors.unary, `${taskService}/${method}`, Uint8Array.from(bytes));
    t.deepEqual(Object.values(told).map(({ message: _, ...rest }) => rest), [malformed, malformed, malformed]);
  });
}

test('garbage is a malformed request for a stream too', async (t) => {
  const told = await everywhere(doors.streaming, `${taskService}/WatchTasks`, Uint8Array.from([0x0a, 0x05, 0x61]));
  t.deepEqual(Object.values(told).map(({ message: _, ...rest }) => rest), [malformed, malformed, malformed]);
});

test('a number that an enum does not have is named at every door', async (t) => {
  const request = CreateTaskRequest.encode(CreateTaskRequest.create({
    spec: { kind: { $case: 'exportImage', value: { imageId: 'i', format: 'DISK_FORMAT_QCOW2', compression: 'COMPRESSION_ZSTD' } } },
  })).finish();
  const unknown = Buffer.from(request);
  // The format (field 3) and the compression (field 4) of the export.
  unknown.writeUInt8(77, unknown.indexOf(Buffer.from([0x18, 2])) + 1);
  unknown.writeUInt8(78, unknown.indexOf(Buffer.from([0x20, 3])) + 1);
  t.deepEqual(await everywhere(doors.unary, `${taskService}/CreateTask`, unknown), likewise({
    code: 3,
    message: 'spec.export_image.format: is no value of lehr.v1.DiskFormat that this server knows (and 1 more)',
    infos: [{ reason: 'INVALID_REQUEST', domain: 'lehr', metadata: {} }],
    violations: [
      { field: 'spec.export_image.format', description: 'is no value of lehr.v1.DiskFormat that this server knows' },
      { field: 'spec.export_image.compression', description: 'is no value of lehr.v1.Compression that this server knows' },
    ],
  }));
});

test('a request beyond 16 MiB is too large at every door', async (t) => {
  const told = await everywhere(doors.unary, `${taskService}/GetTask`, new Uint8Array(16 * 1024 * 1024 + 1));
  const tooLarge = { code: 8, infos: [{ reason: 'REQUEST_TOO_LARGE', domain: 'lehr', metadata: {} }], violations: [] };
  t.deepEqual(Object.values(told).map(({ message: _, ...rest }) => rest), [tooLarge, tooLarge, tooLarge]);
});

test('a method that there is not is refused at every door', async (t) => {
  const path = `${taskService}/Nope`;
  const told = await everywhere(doors.unary, path, new Uint8Array());
  const unknown = { code: 12, infos: [{ reason: 'METHOD_UNKNOWN', domain: 'lehr', metadata: {} }], violations: [] };
  t.deepEqual(Object.values(told).map(({ message: _, ...rest }) => rest), [unknown, unknown, unknown]);
  t.true(Object.values(told).every(({ message }) => message.includes(path)));
});

/** JSON that GetTask or CreateTask refuses, and the field that is named where the JSON is such that one can be. */
const badJson: readonly { readonly name: string; readonly method?: string; readonly json: string; readonly field?: string }[] = [
  { name: 'nothing', json: '' },
  { name: 'half a document', json: '{"id":' },
  { name: 'a list', json: '[]' },
  { name: 'an unknown field', json: '{"identity":"x"}', field: 'identity' },
  { name: 'a number for a text', json: '{"id":7}', field: 'id' },
  { name: 'the same field twice', json: '{"id":"a","id":"b"}' },
  { name: 'two kinds in one spec', method: 'CreateTask', json: '{"spec":{"importImage":{},"cloneImage":{}}}' },
  { name: 'a word that the enum does not have', method: 'CreateTask', json: '{"spec":{"importImage":{"sourceFormat":"FLOPPY"}}}',
    field: 'spec.import_image.source_format' },
  { name: 'a duration that is none', method: 'CreateTask', json: '{"ttl":"soon"}' },
  { name: 'text that is no UTF-8', json: Buffer.from([0x7b, 0x22, 0x69, 0x64, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d]).toString('latin1') },
];

for (const { name, method = 'GetTask', json, field } of badJson) {
  test(`${name} in JSON is refused, naming what is wrong`, async (t) => {
    const told = await toldByConnect(await post(`${doors.base}${taskService}/${method}`, 'application/json', Buffer.from(json, 'latin1')));
    t.deepEqual({ ...told, message: '', violations: told.violations.map((violation) => violation.field) }, field === undefined
      ? { ...malformed, message: '' }
      : { code: 3, message: '', infos: [{ reason: 'INVALID_REQUEST', domain: 'lehr', metadata: {} }], violations: [field] });
    t.true(told.message.length > 10);
  });
}
