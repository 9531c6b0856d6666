import type { JsonObject } from '@bufbuild/protobuf';
import test from 'ava';

import { connectCall } from './harness/connect-call.ts';
import { rawDisk } from './harness/disk-images.ts';
import { grpcJsonCall } from './harness/grpc-json-call.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { refusalOf } from './harness/refused.ts';
import type { Refusal } from './harness/refused.ts';
import { gives, startSource } from './harness/source-server.ts';
import { awaitTask, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

const shared = new Teardowns();
let server: LehrServer;
/** An id that stands for one that exists. */
const known = 'KNOWN';
let knownId: string;

test.before(async () => {
  const source = await startSource(shared);
  server = await startServer(shared, await makeFolder(shared), {
    'file-roots': '/srv/images', regions: 'dfw=http://127.0.0.1:9,ord=http://127.0.0.1:9',
  });
  knownId = (await createImport(server.api, source.serve('/disk', gives(rawDisk(64 * 1024, 1).bytes)))).id;
  await awaitTask(server.api, knownId);
  await createImport(server.api, 'http://127.0.0.1:9/never');
});

test.after.always(() => shared.run());

interface Case {
  readonly title: string;
  readonly method: string;
  /** In protobuf's JSON, which Connect gets as it is, and gRPC as the message that it means. */
  readonly request: JsonObject;
  readonly code: string;
  readonly reason: string;
  /** Of the violations, in order. */
  readonly fields?: readonly string[];
  readonly message?: RegExp;
}

const url = 'https://example.com/disk.qcow2';
const nobody = '018f0000-0000-7000-8000-000000000000';
const importing = (spec: JsonObject = {}, rest: JsonObject = {}): JsonObject =>
  ({ spec: { importImage: { sourceUri: url, ...spec } }, ...rest });
const exporting = (spec: JsonObject = {}): JsonObject =>
  ({ spec: { exportImage: { imageId: nobody, destinationUri: 'https://example.com/export.qcow2', ...spec } } });
const create = (title: string, request: JsonObject, fields: readonly string[], message?: RegExp): Case =>
  ({ title, method: 'TaskService/CreateTask', request, code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields, message });
const at = 'spec.import_image';
const cloned = 'spec.clone_image';

const cases: readonly Case[] = [
  create('no spec', {}, ['spec']),
  create('an empty oneof', { spec: {} }, ['spec'], /must say what to do/),
  create('no source', { spec: { importImage: {} } }, [`${at}.source_uri`]),
  create('a source that is no URL', importing({ sourceUri: 'disk.qcow2' }), [`${at}.source_uri`]),
  create('an unknown scheme', importing({ sourceUri: 'ftp://example.com/disk' }), [`${at}.source_uri`], /"ftp" is not supported/),
  create('a password in the source', importing({ sourceUri: 'https://u:p@example.com/disk' }), [`${at}.source_uri`], /credential/),
  create('a file outside the file roots', importing({ sourceUri: 'file:///etc/passwd' }), [`${at}.source_uri`], /file-roots/),
  create('a way out of the file roots', importing({ sourceUri: 'file:///srv/images/%2e%2e/%2e%2e/etc/passwd' }), [`${at}.source_uri`], /file-roots/),
  create('a metadata service', importing({ sourceUri: 'http://169.254.169.254/latest' }), [`${at}.source_uri`], /never contacted/),
  create('a metadata service in another notation', importing({ sourceUri: 'http://0xa9fea9fe/latest' }), [`${at}.source_uri`], /odd spelling/),
  create('a source of 5,000 characters', importing({ sourceUri: `${url}?${'x'.repeat(5_000)}` }), [`${at}.source_uri`]),
  create('a digest of another kind', importing({ expectedDigest: 'md5:d41d8cd98f00b204e9800998ecf8427e' }), [`${at}.expected_digest`]),
  create('a digest that is too short', importing({ expectedDigest: 'sha256:00' }), [`${at}.expected_digest`]),
  create('an unknown credential', importing({ credential: 'nobody-knows' }), [`${at}.credential`]),
  create('a conversion to ISO', importing({ sourceFormat: 'DISK_FORMAT_RAW', storeFormat: 'DISK_FORMAT_ISO' }), [`${at}.store_format`], /nothing is converted to ISO/),
  create('a label of 10 MB', importing({}, { labels: { note: 'x'.repeat(10_000_000) } }), ['labels["note"]'], /at most 255/),
  create('label keys that are none', importing({}, { labels: { '': 'a' } }), ['labels']),
  create('label keys in capitals', importing({}, { labels: { Env: 'a' } }), ['labels'], /"Env"/),
  create('65 labels', importing({}, { labels: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, ''])) }), ['labels']),
  create('a label with a control character', importing({}, { labels: { note: 'a\u0007' } }), ['labels["note"]']),
  create('a request id of 300 characters', importing({}, { requestId: 'x'.repeat(300) }), ['request_id']),
  create('a request id that is not ASCII', importing({}, { requestId: 'ä' }), ['request_id']),
  create('a ttl of nothing', importing({}, { ttl: '0s' }), ['ttl']),
  create('a negative ttl', importing({}, { ttl: '-5s' }), ['ttl']),
  create('a ttl of half a second', importing({}, { ttl: '0.5s' }), ['ttl']),
  create('a ttl of eleven years', importing({}, { ttl: '347133600s' }), ['ttl']),
  create('a name of 256 characters', importing({ image: { name: 'n'.repeat(256) } }), [`${at}.image.name`]),
  create('a tag twice', importing({ image: { tags: ['a', 'b', 'a'] } }), [`${at}.image.tags[2]`]),
  create('an empty property key', importing({ image: { properties: { '': 'x' } } }), [`${at}.image.properties key`]),
  create('everything wrong at once', importing({ sourceUri: '', expectedDigest: 'x' }, { ttl: '0s', requestId: '\n' }), [
    `${at}.source_uri`, `${at}.expected_digest`, 'request_id', 'ttl',
  ], /and 3 more/),
  create('an export without a destination', exporting({ destinationUri: '' }), ['spec.export_image.destination_uri']),
  create('an export to no URL', exporting({ destinationUri: 'nonsense' }), ['spec.export_image.destination_uri']),
  create('an export to a scheme that is not supported', exporting({ destinationUri: 'ftp://example.com/x' }), ['spec.export_image.destination_uri']),
  create('an export to a file where there are no file roots', exporting({ destinationUri: 'file:///tmp/x' }), ['spec.export_image.destination_uri'], /file-roots/),
  create('an export to a folder of a server', exporting({ destinationUri: 'https://example.com/x/' }), ['spec.export_image.destination_uri'], /slash/),
  create('an export with a password in the address', exporting({ destinationUri: 'https://a:b@example.com/x' }), ['spec.export_image.destination_uri'],
    /The destination URI holds a user name or password/),
  create('an export to a metadata service', exporting({ destinationUri: 'http://169.254.169.254/x' }), ['spec.export_image.destination_uri'], /never contacted/),
  create('an export with an unknown credential', exporting({ credential: 'x' }), ['spec.export_image.credential']),
  create('an export of no image', exporting({ imageId: '' }), ['spec.export_image.image_id'], /required/),
  create('an export of an unknown image', exporting({}), ['spec.export_image.image_id'], /no image/),
  create('an export of an image whose id is endless', exporting({ imageId: 'x'.repeat(100_000) }), ['spec.export_image.image_id']),
  ...['RAW', 'VMDK', 'VHD', 'VHDX', 'VDI', 'ISO'].map((name) =>
    create(`a compressed ${name}`, exporting({ format: `DISK_FORMAT_${name}`, compression: 'COMPRESSION_ZLIB' }), ['spec.export_image.compression'],
      name === 'VMDK' ? /compressed by nature/ : /only a qcow2/)),
  create('an export that is wrong in everything', exporting({ destinationUri: '', compression: 'COMPRESSION_ZSTD', format: 'DISK_FORMAT_RAW', credential: 'x' }), [
    'spec.export_image.destination_uri', 'spec.export_image.compression', 'spec.export_image.credential',
  ]),
  create('a clone of nothing', { spec: { cloneImage: {} } }, [`${cloned}.image_id`], /UUID/),
  create('a clone of an image that there is not', { spec: { cloneImage: { imageId: nobody } } }, [`${cloned}.image_id`], /there is no image/),
  create('a clone of an id in capitals', { spec: { cloneImage: { imageId: nobody.toUpperCase() } } }, [`${cloned}.image_id`], /lower case/),
  create('a clone with a path for an id', { spec: { cloneImage: { sourceRegion: 'dfw', imageId: `../${nobody}` } } }, [`${cloned}.image_id`], /UUID/),
  create('a clone from a region that nobody configured', { spec: { cloneImage: { sourceRegion: 'lon', imageId: nobody } } }, [`${cloned}.source_region`],
    /no region of this name is configured; dfw, ord are/),
  create('a clone that is called too much', { spec: { cloneImage: { sourceRegion: 'dfw', imageId: nobody, image: { tags: ['a', 'a'] } } } }, [
    `${cloned}.image.tags[1]`,
  ]),
  { title: 'no id', method: 'TaskService/GetTask', request: {}, code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['id'] },
  { title: 'an unknown id', method: 'TaskService/GetTask', request: { id: nobody }, code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' },
  { title: 'an id that is none', method: 'TaskService/GetTask', request: { id: '../../etc' }, code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' },
  { title: 'an endless id', method: 'TaskService/GetTask', request: { id: 'x'.repeat(100_000) }, code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' },
  {
    title: 'a read token that is none', method: 'TaskService/GetTask', request: { id: known, readToken: 'bogus' },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['read_token'],
  },
  { title: 'no id', method: 'TaskService/CancelTask', request: {}, code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['id'] },
  { title: 'an unknown id', method: 'TaskService/CancelTask', request: { id: nobody }, code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' },
  { title: 'an id that is none', method: 'TaskService/CancelTask', request: { id: 'a/b' }, code: 'NOT_FOUND', reason: 'TASK_NOT_FOUND' },
  {
    title: 'a negative page size', method: 'TaskService/ListTasks', request: { pageSize: -1 },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['page_size'],
  },
  {
    title: 'a page token that is none', method: 'TaskService/ListTasks', request: { pageToken: 'bogus' },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['page_token'],
  },
  {
    title: 'a filter that is none', method: 'TaskService/ListTasks', request: { filter: 'state = ' },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['filter'],
  },
  {
    title: 'a filter on an unknown field', method: 'TaskService/ListTasks', request: { filter: 'colour = "red"' },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['filter'], message: /colour/,
  },
  {
    title: 'an unknown order', method: 'TaskService/ListTasks', request: { orderBy: 'colour' },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['order_by'],
  },
  {
    title: 'a negative page size', method: 'ImageService/ListImages', request: { pageSize: -1 },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['page_size'],
  },
  { title: 'an unknown id', method: 'ImageService/GetImage', request: { id: nobody }, code: 'NOT_FOUND', reason: 'IMAGE_NOT_FOUND' },
  { title: 'no id', method: 'ImageService/DeleteImage', request: {}, code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['id'] },
  { title: 'an unknown id', method: 'ImageService/DeleteImage', request: { id: nobody }, code: 'NOT_FOUND', reason: 'IMAGE_NOT_FOUND' },
  {
    title: 'no image', method: 'ImageService/UpdateImage', request: {}, code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['image.id'],
  },
  {
    title: 'an unknown id', method: 'ImageService/UpdateImage', request: { image: { id: nobody, name: 'x' } },
    code: 'NOT_FOUND', reason: 'IMAGE_NOT_FOUND',
  },
  {
    title: 'nothing to change', method: 'ImageService/UpdateImage', request: { image: { id: known } },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['update_mask'],
  },
  {
    title: 'a field that never changes', method: 'ImageService/UpdateImage', request: { image: { id: known, name: 'x' }, updateMask: 'digest' },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['update_mask'], message: /"digest" cannot be changed/,
  },
  { title: 'no subject', method: 'EventService/ListEvents', request: {}, code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['subject'] },
  {
    title: 'an unknown subject', method: 'EventService/ListEvents', request: { subject: `tasks/${nobody}` },
    code: 'NOT_FOUND', reason: 'STREAM_NOT_FOUND',
  },
  {
    title: 'a negative page size', method: 'EventService/ListEvents', request: { subject: `tasks/${known}`, pageSize: -1 },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['page_size'],
  },
  {
    title: 'a page token that is none', method: 'EventService/ListEvents', request: { subject: `tasks/${known}`, pageToken: 'bogus' },
    code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST', fields: ['page_token'],
  },
  {
    title: 'an unknown subject', method: 'EventService/VerifyEvents', request: { subject: 'nothing' }, code: 'NOT_FOUND', reason: 'STREAM_NOT_FOUND',
  },
];

for (const { title, method, request, code, reason, fields = [], message = /./ } of cases) {
  test(`${method} refuses ${title} with ${code}, the same at both doors`, async (t) => {
    const json = JSON.parse(JSON.stringify(request).replaceAll(known, knownId)) as JsonObject;
    const [grpc, connect] = await Promise.all([
      refusalOf(grpcJsonCall(server.grpcAddress, method, json)),
      refusalOf(connectCall(server.httpUrl, method, json)),
    ]);
    t.deepEqual({ code: grpc.code, reason: grpc.reason, fields: grpc.violations.map(({ field }) => field) }, { code, reason, fields });
    t.deepEqual(connect, grpc);
    t.regex(grpc.message, message);
    t.true(grpc.message.length < 1_000, 'the message is for a person');
  });
}

test('a page token of another list is refused', async (t) => {
  const { nextPageToken } = await server.api.listTasks({ pageSize: 1 });
  t.not(nextPageToken, '');
  const refused = await Promise.all([
    refusalOf(server.api.listTasks({ pageSize: 1, pageToken: nextPageToken, filter: 'kind = "import"' })),
    refusalOf(server.api.listTasks({ pageSize: 1, pageToken: nextPageToken, orderBy: 'update_time' })),
    refusalOf(server.api.listImages({ pageToken: nextPageToken })),
    refusalOf(connectCall(server.httpUrl, 'ImageService/ListImages', { pageToken: nextPageToken })),
    refusalOf(server.api.listEvents({ subject: `tasks/${knownId}`, pageToken: nextPageToken })),
  ]);
  t.deepEqual(refused.map(({ code, violations }) => ({ code, fields: violations.map(({ field }) => field) })),
    refused.map(() => ({ code: 'INVALID_ARGUMENT', fields: ['page_token'] })));
});

const unreadable: readonly (readonly [title: string, body: string])[] = [
  ['text that is no JSON', '{"spec": '],
  ['a list', '[]'],
  ['a field that does not exist', '{"specs": {}}'],
  ['an unknown enum value', JSON.stringify(importing({ sourceFormat: 'DISK_FORMAT_FLOPPY' }))],
  ['an enum number that is not known', JSON.stringify(importing({ sourceFormat: 99 }))],
  ['a number where a text belongs', '{"requestId": 5}'],
  ['two kinds at once', JSON.stringify({ spec: { importImage: { sourceUri: url }, cloneImage: {} } })],
];

for (const [title, body] of unreadable) {
  test(`CreateTask refuses ${title} with INVALID_ARGUMENT`, async (t) => {
    const { code, reason } = await refusalOf(connectCall(server.httpUrl, 'TaskService/CreateTask', body));
    t.is(code, 'INVALID_ARGUMENT');
    t.true(reason === 'MALFORMED_REQUEST' || reason === 'INVALID_REQUEST');
  });
}

async function firstRefusal(messages: AsyncIterable<unknown>): Promise<Refusal> {
  return refusalOf((async () => {
    for await (const _ of messages) throw new Error('it answered');
  })());
}

test('streams refuse bad requests before their first message', async (t) => {
  const { api } = server;
  const refused = await Promise.all([
    firstRefusal(api.watchTasks({ filter: 'state =' })),
    firstRefusal(api.watchTasks({ resumeToken: 'bogus' })),
    firstRefusal(api.streamEvents({ fromToken: 'bogus' })),
    firstRefusal(api.readImage({})),
    firstRefusal(api.readImage({ id: nobody })),
    firstRefusal(api.readImage({ id: knownId, offset: 1_000_000n })),
  ]);
  t.deepEqual(refused.map(({ code, reason, violations }) => [code, reason, ...violations.map(({ field }) => field)]), [
    ['INVALID_ARGUMENT', 'INVALID_REQUEST', 'filter'],
    ['INVALID_ARGUMENT', 'INVALID_REQUEST', 'resume_token'],
    ['INVALID_ARGUMENT', 'INVALID_REQUEST', 'from_token'],
    ['INVALID_ARGUMENT', 'INVALID_REQUEST', 'id'],
    ['NOT_FOUND', 'IMAGE_NOT_FOUND'],
    ['OUT_OF_RANGE', 'OFFSET_BEYOND_END'],
  ]);
});

test('nothing of all this was accepted', async (t) => {
  t.is((await server.api.listTasks({})).tasks.length, 2);
});
