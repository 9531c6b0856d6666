import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';

import test from 'ava';

import type { Failure } from '../../src/gen/lehr/v1/failure.ts';
import type { ImportImage, Task } from '../../src/gen/lehr/v1/task.ts';
import { digestOf, qcow2Disk } from './harness/disk-images.ts';
import { eventsOf, story } from './harness/events.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { announces, answers, gives, inTurn, startSource } from './harness/source-server.ts';
import type { Behaviour, SourceServer } from './harness/source-server.ts';
import { awaitTask, createImport, hasEnded } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

const image = qcow2Disk(512 * 1024, 1);
const size = image.bytes.length;
const html = Buffer.from(`<!DOCTYPE html><html><head><title>Sign in</title></head><body>${'Please sign in. '.repeat(50)}</body></html>`);
const jpeg = Buffer.concat([Buffer.from('ffd8ffe000104a46494600010100000100010000', 'hex'), Buffer.alloc(2_000, 7), Buffer.from('ffd9', 'hex')]);
const maxImageBytes = 1024 * 1024;

const shared = new Teardowns();
let server: LehrServer;
let source: SourceServer;

test.before(async () => {
  source = await startSource(shared);
  server = await startServer(shared, await makeFolder(shared), { 'idle-timeout': '1s', 'attempt-limit': '2', 'max-image-bytes': String(maxImageBytes) });
});

test.after.always(() => shared.run());

/** A URL on a port that nobody listens on. */
async function deadUrl(): Promise<string> {
  const listener = createServer().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  listener.close();
  await once(listener, 'close');
  return `http://127.0.0.1:${port}/gone`;
}

interface Case {
  readonly title: string;
  readonly behaves: Behaviour;
  readonly spec?: Partial<ImportImage>;
  readonly fails: Omit<Failure, 'retryable'>;
  /** Where another attempt may help there are two; the failure says so. */
  readonly retried: boolean;
}

/** In messages `URL` stands for the address without its query. */
const cases: readonly Case[] = [
  {
    title: 'falls silent in the middle', retried: true, behaves: announces(size, image.bytes.subarray(0, 100_000), 'silence'),
    fails: {
      reason: 'REASON_SOURCE_TOO_SLOW', stage: 'fetch', message: 'URL sent 100000 bytes and then nothing for the idle time-out.',
      metadata: { bytes_received: '100000', bytes_expected: String(size), system_error: 'UND_ERR_BODY_TIMEOUT' },
    },
  },
  {
    title: 'takes the request and says nothing', retried: true, behaves: () => undefined,
    fails: {
      reason: 'REASON_SOURCE_TOO_SLOW', stage: 'fetch',
      message: 'URL took the request and then sent nothing for the idle time-out. Try again later.',
      metadata: { system_error: 'UND_ERR_HEADERS_TIMEOUT' },
    },
  },
  {
    title: 'sends less than it announced', retried: true, behaves: announces(size + 5, image.bytes, 'end'),
    fails: {
      reason: 'REASON_SOURCE_TRUNCATED', stage: 'fetch',
      message: `URL dropped the connection after ${size} bytes of ${size + 5} announced. Try again.`,
      metadata: { bytes_received: String(size), bytes_expected: String(size + 5), system_error: 'UND_ERR_SOCKET' },
    },
  },
  {
    title: 'sends more than it announced', retried: true, behaves: announces(size - 10, image.bytes, 'end'),
    fails: {
      reason: 'REASON_SOURCE_CHANGED', stage: 'fetch', message: `URL sent more than the ${size - 10} bytes it had announced; it may be growing.`,
      metadata: { bytes_expected: String(size - 10) },
    },
  },
  {
    title: 'resets the connection in the middle', retried: true, behaves: announces(size, image.bytes.subarray(0, 20_000), 'drop'),
    fails: {
      reason: 'REASON_SOURCE_TRUNCATED', stage: 'fetch', message: `URL dropped the connection after 20000 bytes of ${size} announced. Try again.`,
      metadata: { bytes_received: '20000', bytes_expected: String(size), system_error: 'ECONNRESET' },
    },
  },
  {
    title: 'resets the connection instead of answering', retried: true, behaves: (_response, request) => void request.socket.resetAndDestroy(),
    fails: {
      reason: 'REASON_SOURCE_UNREACHABLE', stage: 'fetch', message: 'URL refused or dropped the connection (ECONNRESET). Check that the source is up.',
      metadata: { system_error: 'ECONNRESET' },
    },
  },
  {
    title: 'redirects in circles', retried: false, behaves: (response, request) => void response.writeHead(302, { location: request.url }).end(),
    fails: { reason: 'REASON_SOURCE_ERROR', stage: 'fetch', message: 'URL redirects more than 5 times.', metadata: {} },
  },
  {
    title: 'redirects to a metadata service', retried: false, behaves: answers(302, { location: 'http://169.254.169.254/latest' }),
    fails: {
      reason: 'REASON_SOURCE_NOT_ALLOWED', stage: 'fetch', metadata: {},
      message: 'URL redirects to an address that is refused. The host 169.254.169.254 is never contacted: it is a link-local address or a cloud\'s metadata service.',
    },
  },
  {
    title: 'redirects to a file', retried: false, behaves: answers(302, { location: 'file:///etc/passwd' }),
    fails: {
      reason: 'REASON_SOURCE_NOT_ALLOWED', stage: 'fetch', metadata: {},
      message: 'URL redirects to an address that is refused. It is no http or https URL.',
    },
  },
  {
    title: 'answers 404', retried: false, behaves: answers(404),
    fails: {
      reason: 'REASON_SOURCE_NOT_FOUND', stage: 'fetch', message: 'URL answered 404: there is nothing at this address. Check the path.',
      metadata: { http_status: '404' },
    },
  },
  {
    title: 'answers 403', retried: false, behaves: answers(403),
    fails: {
      reason: 'REASON_SOURCE_FORBIDDEN', stage: 'fetch', message: 'URL answered 403: it may not be read without a credential, or not with this one.',
      metadata: { http_status: '403' },
    },
  },
  {
    title: 'answers 500', retried: true, behaves: answers(500),
    fails: {
      reason: 'REASON_SOURCE_ERROR', stage: 'fetch', message: 'URL answered 500 instead of 200. Try again later.', metadata: { http_status: '500' },
    },
  },
  {
    title: 'answers 206', retried: false, behaves: answers(206),
    fails: {
      reason: 'REASON_SOURCE_ERROR', stage: 'fetch', message: 'URL answered 206 instead of 200. Ask whoever runs the source.',
      metadata: { http_status: '206' },
    },
  },
  {
    title: 'compresses what it sends', retried: false, behaves: gives(image.bytes, { 'content-encoding': 'gzip' }),
    fails: {
      reason: 'REASON_SOURCE_ERROR', stage: 'fetch', message: 'URL sent the content encoded as gzip although it was asked not to.',
      metadata: { content_encoding: 'gzip' },
    },
  },
  {
    title: 'gives an HTML page', retried: false, behaves: gives(html, { 'content-type': 'application/octet-stream' }),
    fails: {
      reason: 'REASON_NOT_A_DISK_IMAGE', stage: 'fetch',
      message: `The content is no disk image: HTML page, ${html.length} bytes. Check that the address leads to the image itself.`,
      metadata: { check: 'content.not_a_disk', found: 'HTML page', size_bytes: String(html.length), offset: '0', value: 'HTML page' },
    },
  },
  {
    title: 'gives a JPEG', retried: false, behaves: gives(jpeg),
    fails: {
      reason: 'REASON_NOT_A_DISK_IMAGE', stage: 'fetch',
      message: `The content is no disk image: JPEG picture, ${jpeg.length} bytes. Check that the address leads to the image itself.`,
      metadata: { check: 'content.not_a_disk', found: 'JPEG picture', size_bytes: String(jpeg.length), offset: '0', value: 'JPEG picture' },
    },
  },
  {
    title: 'gives nothing', retried: false, behaves: gives(Buffer.alloc(0)),
    fails: {
      reason: 'REASON_NOT_A_DISK_IMAGE', stage: 'fetch',
      message: 'The content is empty: 0 bytes. Check that the address leads to the image and that it was written in full.',
      metadata: { check: 'raw.empty', size_bytes: '0', offset: '0', value: '0' },
    },
  },
  {
    title: 'gives other bytes than were expected', retried: false, behaves: gives(image.bytes), spec: { expectedDigest: digestOf(html) },
    fails: {
      reason: 'REASON_DIGEST_MISMATCH', stage: 'fetch',
      message: `The bytes received have the digest ${image.digest}, but ${digestOf(html)} was expected.`,
      metadata: { expected: digestOf(html), actual: image.digest },
    },
  },
  {
    title: 'gives another format than was declared', retried: false, behaves: gives(image.bytes), spec: { sourceFormat: 'DISK_FORMAT_VMDK' },
    fails: {
      reason: 'REASON_FORMAT_MISMATCH', stage: 'fetch',
      message: 'The image was declared as vmdk, but its content is qcow2. Declare the format that was found, or none.',
      metadata: { check: 'format.mismatch', declared: 'vmdk', found: 'qcow2', offset: '0', value: 'qcow2' },
    },
  },
  {
    title: 'gives a disk that is to be kept as a disc', retried: false, behaves: gives(image.bytes), spec: { storeFormat: 'DISK_FORMAT_ISO' },
    fails: {
      reason: 'REASON_FORMAT_UNSUPPORTED', stage: 'inspect',
      message: 'Nothing is converted to DISK_FORMAT_ISO. Choose another format, or keep the image as it came.',
      metadata: { found: 'DISK_FORMAT_QCOW2', wanted: 'DISK_FORMAT_ISO' },
    },
  },
  {
    title: 'announces more than is allowed', retried: false, behaves: announces(maxImageBytes + 1, image.bytes, 'silence'),
    fails: {
      reason: 'REASON_SOURCE_TOO_LARGE', stage: 'fetch', message: `URL is larger than the limit of ${maxImageBytes} bytes.`,
      metadata: { bytes: String(maxImageBytes + 1), max_image_bytes: String(maxImageBytes) },
    },
  },
];

for (const { title, behaves, spec = {}, fails, retried } of cases) {
  test(`a source that ${title} fails the task with ${fails.reason}`, async (t) => {
    const path = `/${title.replaceAll(/[^a-z0-9]+/g, '-')}`;
    const url = source.serve(path, behaves);
    const { id } = await createImport(server.api, `${url}?sig=s3cret`, {}, spec);
    const task = await awaitTask(server.api, id);
    const { failure } = task;
    const given = retried ? ' Gave up after 2 failed attempts.' : '';
    t.deepEqual(
      { state: task.state, attempt: task.attempt, failure: { ...failure, message: failure?.message.replaceAll(url, 'URL') } },
      {
        state: 'STATE_FAILED',
        attempt: retried ? 2 : 1,
        failure: {
          ...fails, message: fails.message + given, retryable: retried,
          metadata: { ...fails.metadata, ...(retried ? { failed_attempts: '2' } : {}) },
        },
      },
    );
    t.deepEqual(await server.api.listImages({ filter: '' }).then(({ images }) => images.filter((made) => made.id === id)), []);
  });
}

test('a source that nobody serves fails the task with REASON_SOURCE_UNREACHABLE', async (t) => {
  const { id } = await createImport(server.api, await deadUrl());
  const { failure, attempt } = await awaitTask(server.api, id);
  t.deepEqual(
    { attempt, reason: failure?.reason, stage: failure?.stage, metadata: failure?.metadata, retryable: failure?.retryable },
    {
      attempt: 2, reason: 'REASON_SOURCE_UNREACHABLE', stage: 'fetch', retryable: true,
      metadata: { system_error: 'ECONNREFUSED', failed_attempts: '2' },
    },
  );
});

test('a source that sends more than is allowed without announcing it fails the task with REASON_SOURCE_TOO_LARGE', async (t) => {
  const url = source.serve('/endless', (response) => void response.writeHead(200).end(Buffer.alloc(2 * maxImageBytes)));
  const { failure, attempt } = await awaitTask(server.api, (await createImport(server.api, url)).id);
  t.deepEqual(
    { attempt, reason: failure?.reason, message: failure?.message, retryable: failure?.retryable, limit: failure?.metadata['max_image_bytes'] },
    {
      attempt: 1, reason: 'REASON_SOURCE_TOO_LARGE', message: `${url} is larger than the limit of ${maxImageBytes} bytes.`, retryable: false,
      limit: String(maxImageBytes),
    },
  );
});

test('a source that answers 503 three times and then 200 is imported in the fourth attempt', async (t) => {
  const patient = await startServer(t, await makeFolder(t));
  const url = source.serve('/tired', inTurn(answers(503), answers(503), answers(503), gives(image.bytes)));
  const { id } = await createImport(patient.api, url);
  const waits: Task[] = [];
  for await (const { message } of patient.api.watchTasks({})) {
    const task = message?.$case === 'change' || message?.$case === 'snapshot' ? message.value : undefined;
    if (task?.id !== id) continue;
    if (task.state === 'STATE_PENDING' && task.attempt > 0) waits.push(task);
    if (hasEnded(task)) break;
  }
  const failed = { reason: 'REASON_SOURCE_ERROR', metadata: { http_status: '503' } };
  t.deepEqual(
    waits.map(({ attempt, failure, updateTime, retryTime }) => ({
      attempt, failure: { reason: failure?.reason, metadata: failure?.metadata }, waitMs: Number(retryTime) - Number(updateTime),
    })),
    [1_000, 2_000, 4_000].map((waitMs, index) => ({ attempt: index + 1, failure: failed, waitMs })),
  );
  const { task } = await patient.api.getTask({ id });
  t.deepEqual(
    { state: task?.state, attempt: task?.attempt, failure: task?.failure, retryTime: task?.retryTime, digest: task?.result?.digest, asked: source.count('/tired') },
    { state: 'STATE_SUCCEEDED', attempt: 4, failure: undefined, retryTime: undefined, digest: image.digest, asked: 4 },
  );
  t.deepEqual(story(await eventsOf(patient.api, `tasks/${id}`)), [
    'taskCreated',
    ...[1, 2, 3].flatMap(() => ['attemptStarted', 'attemptFailed']),
    'attemptStarted', 'stageCompleted fetch', 'stageCompleted inspect', 'imageStored', 'taskSucceeded',
  ]);
});
