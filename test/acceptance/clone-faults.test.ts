import test from 'ava';

import type { Failure } from '../../src/gen/lehr/v1/failure.ts';
import { digestOf, qcow2Disk, rawDisk } from './harness/disk-images.ts';
import { awaitEmptyStaging, storeFiles } from './harness/data-folder.ts';
import { eventsOf } from './harness/events.ts';
import { servedImages } from './harness/inventory.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { passes, startRegionProxy } from './harness/region-proxy.ts';
import type { Passing, RegionProxy } from './harness/region-proxy.ts';
import { gives, startSource } from './harness/source-server.ts';
import { awaitTask, createClone, createImport } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

const disk = qcow2Disk(512 * 1024, 1);
const size = disk.bytes.length;
const wrong = `sha256:${'ab'.repeat(32)}`;

/** A region whose description of an image differs from the true one in these fields. */
const says = (fields: Readonly<Record<string, string>>): Passing => ({ status, body }, response) => {
  const { image } = JSON.parse(body.toString()) as { image: Readonly<Record<string, unknown>> };
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ image: { ...image, ...fields } }));
};

const answersWith = (status: number, body: string): Passing => (_answer, response) => void response.writeHead(status).end(body);

interface Case {
  readonly title: string;
  readonly describing?: Passing;
  readonly sending?: Passing;
  readonly fails: Pick<Failure, 'reason' | 'stage' | 'metadata' | 'retryable'>;
  readonly message: RegExp;
}

/** Every failure names the region; `REGION` stands for its name. A failure that may pass is told after two attempts. */
const cases: readonly Case[] = [
  {
    title: 'a digest that is not that of the bytes', describing: says({ digest: wrong }), message: /said that the image has the digest/,
    fails: { reason: 'REASON_DIGEST_MISMATCH', stage: 'fetch', metadata: { expected: wrong, actual: disk.digest }, retryable: false },
  },
  {
    title: 'a guest digest that is not that of the disk', describing: says({ guestDigest: wrong }), message: /said that the image has the guest digest/,
    fails: {
      reason: 'REASON_DIGEST_MISMATCH', stage: 'inspect', retryable: false,
      metadata: { expected: wrong, actual: 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855' },
    },
  },
  {
    title: 'fewer bytes than there are', describing: says({ sizeBytes: String(size - 10) }), message: /more bytes than it said/,
    fails: {
      reason: 'REASON_SOURCE_CHANGED', stage: 'fetch', retryable: true,
      metadata: { bytes: String(size), max_image_bytes: String(size - 10), failed_attempts: '2' },
    },
  },
  {
    title: 'more bytes than there are', describing: says({ sizeBytes: String(size + 10) }), message: new RegExp(`has ${size + 10} bytes, and sent ${size}`),
    fails: {
      reason: 'REASON_SOURCE_CHANGED', stage: 'fetch', retryable: true,
      metadata: { bytes_expected: String(size + 10), bytes_received: String(size), failed_attempts: '2' },
    },
  },
  {
    title: 'more bytes than anybody takes', describing: says({ sizeBytes: String(2 ** 41) }), message: /larger than the limit/,
    fails: {
      reason: 'REASON_SOURCE_TOO_LARGE', stage: 'describe', retryable: false,
      metadata: { bytes: String(2 ** 41), max_image_bytes: String(2 ** 40) },
    },
  },
  {
    title: 'another size of the disk', describing: says({ virtualSizeBytes: '4096' }), message: /described a disk of 4096 bytes, and sent one of 1048576/,
    fails: {
      reason: 'REASON_SOURCE_ERROR', stage: 'inspect', retryable: false, metadata: { bytes_expected: '4096', bytes_received: '1048576' },
    },
  },
  {
    title: 'another format', describing: says({ format: 'DISK_FORMAT_VMDK' }), message: /describes the image as what it is not/,
    fails: {
      reason: 'REASON_SOURCE_ERROR', stage: 'fetch', retryable: false,
      metadata: { check: 'format.mismatch', declared: 'vmdk', found: 'qcow2', offset: '0', value: 'qcow2' },
    },
  },
  {
    title: 'an answer that describes nothing', describing: answersWith(200, '{"image": []}'), message: /no description of the image: image is no object/,
    fails: { reason: 'REASON_SOURCE_ERROR', stage: 'describe', retryable: false, metadata: {} },
  },
  {
    title: 'that it wants a token', describing: answersWith(401, '{"code": "unauthenticated"}'), message: /credential of kind lehr/,
    fails: { reason: 'REASON_SOURCE_FORBIDDEN', stage: 'describe', retryable: false, metadata: { http_status: '401' } },
  },
  {
    title: 'that it is about to stop', describing: answersWith(503, '{"code": "unavailable"}'), message: /answered 503/,
    fails: { reason: 'REASON_REGION_UNREACHABLE', stage: 'describe', retryable: true, metadata: { http_status: '503', failed_attempts: '2' } },
  },
  {
    title: 'bytes of another image of the same size', message: /said that the image has the digest/,
    sending: ({ status, headers, body }, response) => void response.writeHead(status, headers).end(Buffer.concat([body.subarray(0, -1), Buffer.from('x')])),
    fails: {
      reason: 'REASON_DIGEST_MISMATCH', stage: 'fetch', retryable: false,
      metadata: { expected: disk.digest, actual: digestOf(Buffer.concat([disk.bytes.subarray(0, -1), Buffer.from('x')])) },
    },
  },
  {
    title: 'that the bytes are gone', sending: answersWith(410, 'gone'), message: /has no image \S+, or none any more/,
    fails: { reason: 'REASON_IMAGE_NOT_FOUND', stage: 'fetch', retryable: false, metadata: { image_id: 'IMAGE' } },
  },
];

const shared = new Teardowns();
let dfw: LehrServer;
let ord: LehrServer;
let imageId: string;
/** By the name under which `ord` knows the region behind it. */
const proxies = new Map<string, RegionProxy>();

const nameOf = (index: number): string => `case-${index}`;

test.before(async () => {
  const source = await startSource(shared);
  dfw = await startServer(shared, await makeFolder(shared));
  imageId = (await createImport(dfw.api, source.serve('/disk', gives(disk.bytes)))).id;
  await awaitTask(dfw.api, imageId);
  for (const [index, { describing, sending }] of cases.entries()) {
    const proxy = await startRegionProxy(shared, dfw.httpUrl);
    proxies.set(nameOf(index), Object.assign(proxy, { describing: describing ?? proxy.describing, sending: sending ?? proxy.sending }));
  }
  const regions = ['straight=' + dfw.httpUrl, 'down=http://127.0.0.1:9', ...[...proxies].map(([name, { url }]) => `${name}=${url}`)];
  ord = await startServer(shared, await makeFolder(shared), { regions: regions.join(','), 'source-allow': 'none', 'attempt-limit': '2' });
});

test.after.always(() => shared.run());

for (const [index, { title, fails, message }] of cases.entries()) {
  test(`a region that says ${title} is found out, and named`, async (t) => {
    const region = nameOf(index);
    const { id } = await createClone(ord.api, { sourceRegion: region, imageId });
    const { state, failure } = await awaitTask(ord.api, id);
    t.is(state, 'STATE_FAILED');
    const { message: text, ...found } = failure!;
    const metadata = Object.fromEntries(Object.entries(fails.metadata).map(([key, value]) => [key, value === 'IMAGE' ? imageId : value]));
    t.deepEqual(found, { ...fails, metadata: { ...metadata, region } });
    t.regex(text, message);
    t.true(text.includes(region), text);
    await t.throwsAsync(ord.api.getImage({ id }), { message: /no image/ });
  });
}

test('an image that a region has not is named, and so is a region that is down', async (t) => {
  const nobody = '018f0000-0000-7000-8000-000000000000';
  const [unknown, down] = await Promise.all([{ sourceRegion: 'straight', imageId: nobody }, { sourceRegion: 'down', imageId }].map(async (spec) => {
    const { id } = await createClone(ord.api, spec);
    return (await awaitTask(ord.api, id)).failure!;
  }));
  t.like(unknown, { reason: 'REASON_IMAGE_NOT_FOUND', stage: 'describe', metadata: { region: 'straight', image_id: nobody }, retryable: false });
  t.like(down, { reason: 'REASON_REGION_UNREACHABLE', stage: 'describe', retryable: true });
  t.deepEqual(down!.metadata, { region: 'down', system_error: 'ECONNREFUSED', failed_attempts: '2' });
});

/** Sends the first half of the bytes, has something happen, and breaks off; what is asked for after that comes whole. */
function breaksOnce(proxy: RegionProxy, happens: () => Promise<void>): Passing {
  return async ({ status, headers, body }, response) => {
    proxy.sending = passes;
    response.writeHead(status, headers);
    await new Promise((resolve) => response.write(body.subarray(0, body.length >> 1), resolve));
    await happens();
    response.socket?.resetAndDestroy();
  };
}

test('an image that is deleted at its region half way is missed by name, and nothing of it stays', async (t) => {
  const proxy = await startRegionProxy(t, dfw.httpUrl);
  const server = await startServer(t, await makeFolder(t), { regions: `half=${proxy.url}` });
  const source = await startSource(t);
  const { id: deleted } = await createImport(dfw.api, source.serve('/deleted', gives(rawDisk(4 * 1024 * 1024, 2).bytes)));
  await awaitTask(dfw.api, deleted);
  proxy.sending = breaksOnce(proxy, async () => { await dfw.api.deleteImage({ id: deleted }); });
  const { id } = await createClone(server.api, { sourceRegion: 'half', imageId: deleted });
  const { failure } = await awaitTask(server.api, id);
  t.like(failure, { reason: 'REASON_IMAGE_NOT_FOUND', retryable: false, metadata: { region: 'half', image_id: deleted } });
  await awaitEmptyStaging(server.folder);
  t.deepEqual(storeFiles(server.folder).images, []);
});

test('a region that is killed half way and comes back is gone on with', async (t) => {
  const image = rawDisk(4 * 1024 * 1024, 3);
  const source = await startSource(t);
  const folder = await makeFolder(t);
  const first = await startServer(t, folder);
  const { id: imageOfFirst } = await createImport(first.api, source.serve('/killed', gives(image.bytes)));
  await awaitTask(first.api, imageOfFirst);
  const proxy = await startRegionProxy(t, first.httpUrl);
  const killed = Promise.withResolvers<void>();
  proxy.sending = breaksOnce(proxy, async () => {
    await first.kill('SIGKILL');
    killed.resolve();
  });
  const server = await startServer(t, await makeFolder(t), { regions: `back=${proxy.url}` });
  const { id } = await createClone(server.api, { sourceRegion: 'back', imageId: imageOfFirst });
  await killed.promise;
  proxy.target = (await startServer(t, folder)).httpUrl;
  const { state, result } = await awaitTask(server.api, id);
  t.is(state, 'STATE_SUCCEEDED');
  t.is(result?.digest, image.digest);
  const failures = (await eventsOf(server.api, `tasks/${id}`)).flatMap(({ payload }) =>
    (payload?.$case === 'attemptFailed' ? [payload.value.failure?.metadata['region']] : []));
  t.true(failures.every((region) => region === 'back'), failures.join(' '));
  t.deepEqual(await servedImages(server), new Map([[id, image.digest]]));
});
