import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';

import test from 'ava';
import type { ExecutionContext } from 'ava';
import { Client, credentials, status } from '@grpc/grpc-js';

import type { Failure } from '../../src/gen/lehr/v1/failure.ts';
import type { ImportImage } from '../../src/gen/lehr/v1/task.ts';
import { CreateTaskRequest, TaskServiceService } from '../../src/gen/lehr/v1/task_service.ts';
import type { ImportPreview } from '../../src/gen/lehr/v1/task_service.ts';
import { badOvas } from '../archives/bad-ovas.ts';
import { buildOva } from '../archives/build-ova.ts';
import { badImages } from '../formats/build/bad-images.ts';
import { goodImages } from '../formats/build/good-images.ts';
import { buildStreamedVmdk } from '../formats/build/vmdk.ts';
import { storeFiles } from './harness/data-folder.ts';
import { connectCall } from './harness/connect-call.ts';
import { rawDisk } from './harness/disk-images.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import type { Part } from './harness/part.ts';
import { refusalOf } from './harness/refused.ts';
import { scrape } from './harness/scrape.ts';
import { answers, gives, startSource } from './harness/source-server.ts';
import type { Behaviour, SourceServer } from './harness/source-server.ts';
import { awaitTasks, createImport, importFrom } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

/** OVAs, of which all but the digests in the manifest is told before. */
const ovas = [
  { name: 'an OVA with a VMDK', build: () => buildOva({ disk: buildStreamedVmdk() }) },
  { name: 'an OVA whose disk has a backing file', build: () => buildOva({ disk: badImages.find(({ check }) => check === 'qcow2.backing_file')!.build() }) },
  { name: 'an OVA with a disk that leads outside', build: () => buildOva({ disk: badImages.find(({ check }) => check === 'qcow2.cluster')!.build() }) },
  ...badOvas.filter(({ check }) => check === 'ova.disk_count' || check === 'ova.member_name').slice(0, 3),
].map(({ name, build }) => ({ name, build, declared: 'DISK_FORMAT_UNSPECIFIED' as const }));

/** Previews that wait for one another; more than eight are refused. */
const atOnce = 8;

/** One of so many images is looked at. */
const sampleStep = 9;

const shared = new Teardowns();
let server: LehrServer;
let source: SourceServer;

test.before(async () => {
  source = await startSource(shared);
  server = await startServer(shared, await makeFolder(shared));
});

test.after.always(() => shared.run());

/** Gives the parts that are asked for. */
function givesRanges(content: Uint8Array): Behaviour {
  return (response, request) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    if (first === undefined) return void response.writeHead(200, { 'content-length': content.length, etag: '"1"', 'accept-ranges': 'bytes' }).end(content);
    if (Number(first) >= content.length) return void response.writeHead(416, { 'content-range': `bytes */${content.length}` }).end();
    const body = content.subarray(Number(first), Number(last) + 1);
    response.writeHead(206, {
      'content-length': body.length, etag: '"1"', 'content-range': `bytes ${first}-${Number(first) + body.length - 1}/${content.length}`,
    }).end(body);
  };
}

async function previewOf(url: string, spec: Part<ImportImage> = {}): Promise<ImportPreview> {
  const { task, readToken, preview } = await server.api.createTask({ ...importFrom(url, spec), validateOnly: true });
  if (preview === undefined) throw new Error(`no preview, but ${JSON.stringify(task)} ${readToken}`);
  return preview;
}

async function nothingExists(t: ExecutionContext): Promise<void> {
  t.deepEqual((await server.api.listTasks({})).tasks, []);
  t.deepEqual((await server.api.listImages({})).images, []);
  t.deepEqual(storeFiles(server.folder), { staging: [], images: [] });
}

test.serial('a good source, a bad, a missing and a dead one are told apart at both doors, and nothing is made of any', async (t) => {
  const backed = badImages.find(({ check }) => check === 'qcow2.backing_file')!.build();
  const cases: readonly (readonly [url: string, depth: string, reason: string | undefined, check: string | undefined])[] = [
    [source.serve('/good', givesRanges(rawDisk(2 ** 20, 1).bytes)), 'DEPTH_TABLES', undefined, undefined],
    [source.serve('/whole', gives(rawDisk(2 ** 22, 1).bytes)), 'DEPTH_HEAD', undefined, undefined],
    [source.serve('/compressed', givesRanges(gzipSync(rawDisk(2 ** 20, 1).bytes))), 'DEPTH_HEAD', undefined, undefined],
    [source.serve('/bad', givesRanges(backed)), 'DEPTH_HEAD', 'REASON_IMAGE_UNSAFE', 'qcow2.backing_file'],
    [source.serve('/missing', answers(404)), 'DEPTH_UNSPECIFIED', 'REASON_SOURCE_NOT_FOUND', undefined],
    [source.serve('/reset', (_response, request) => void request.socket.resetAndDestroy()), 'DEPTH_UNSPECIFIED', 'REASON_SOURCE_UNREACHABLE', undefined],
  ];
  for (const [url, depth, reason, check] of cases) {
    const told = await previewOf(url);
    t.deepEqual({ url, depth: told.depth, reason: told.failure?.reason, check: told.failure?.metadata['check'] }, { url, depth, reason, check } as never);
    const answer = await connectCall(server.httpUrl, 'TaskService/CreateTask', { spec: { importImage: { sourceUri: url } }, validateOnly: true });
    const preview = answer['preview'] as { readonly depth?: string; readonly format?: string; readonly failure?: Part<Failure> };
    t.deepEqual([preview.depth ?? 'DEPTH_UNSPECIFIED', preview.failure?.reason, preview.failure?.metadata?.['check']], [depth, reason, check], url);
  }
  t.like(await previewOf(source.serve('/good', givesRanges(rawDisk(2 ** 20, 1).bytes))), { format: 'DISK_FORMAT_RAW', sizeBytes: 2n ** 20n, virtualSizeBytes: 2n ** 20n });
  await nothingExists(t);
});

/** Whoever hangs up, by Connect or by gRPC. */
interface Waiting {
  hangUp(): void;
  readonly ended: Promise<string>;
}

function waitByConnect(url: string): Waiting {
  const stop = new AbortController();
  const ended = fetch(`${server.httpUrl}/lehr.v1.TaskService/CreateTask`, {
    method: 'POST', headers: { 'content-type': 'application/json' }, signal: stop.signal,
    body: JSON.stringify({ spec: { importImage: { sourceUri: url } }, validateOnly: true }),
  }).then((response) => `status ${response.status}`, () => 'hung up');
  return { ended, hangUp: () => stop.abort() };
}

function waitByGrpc(client: Client, url: string): Waiting {
  const { path, requestSerialize, responseDeserialize } = TaskServiceService.createTask;
  const request = CreateTaskRequest.fromPartial({ ...importFrom(url), validateOnly: true } as never);
  const answered = Promise.withResolvers<string>();
  const call = client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error) => {
    answered.resolve(error?.code === status.CANCELLED ? 'hung up' : `answered ${error?.message ?? ''}`);
  });
  return { ended: answered.promise, hangUp: () => call.cancel() };
}

test.serial('eight previews may wait for sources that say nothing; the ninth is refused until one of them hangs up', async (t) => {
  let open = 0;
  let came = Promise.withResolvers<void>();
  const url = source.serve('/hangs', (response) => {
    open += 1;
    response.once('close', () => {
      open -= 1;
      came.resolve();
    });
    came.resolve();
  });
  const until = async (count: number): Promise<void> => {
    while (open !== count) {
      await came.promise;
      came = Promise.withResolvers<void>();
    }
  };
  const client = new Client(server.grpcAddress, credentials.createInsecure(), { 'grpc.enable_http_proxy': 0 });
  t.teardown(() => client.close());
  const waiting = Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? waitByConnect(url) : waitByGrpc(client, url)));
  await until(8);
  const good = source.serve('/good', givesRanges(rawDisk(2 ** 20, 1).bytes));
  t.like(await refusalOf(previewOf(good)), { code: 'UNAVAILABLE', reason: 'PREVIEW_BUSY' });
  for (const { hangUp } of waiting) hangUp();
  t.deepEqual(new Set(await Promise.all(waiting.map(({ ended }) => ended))), new Set(['hung up']));
  // The sources see that nobody waits for them any more.
  await until(0);
  t.is((await previewOf(good)).failure, undefined);
  await nothingExists(t);
});

test.serial('what a preview tells is what the import then finds', async (t) => {
  t.timeout(180_000);
  const programs = async (): Promise<string> => JSON.stringify([...await scrape(server.httpUrl)].filter(([name]) => name.startsWith('lehr_programs')));
  const before = await programs();
  const sample = [...[...goodImages, ...badImages].filter((_, index) => index % sampleStep === 0), ...ovas];
  const urls = sample.map(({ build }, index) => source.serve(`/sample-${index}`, givesRanges(build())));
  const specs = sample.map(({ declared = 'DISK_FORMAT_UNSPECIFIED' }) => ({ sourceFormat: declared }));
  const previews: ImportPreview[] = [];
  for (let at = 0; at < urls.length; at += atOnce) {
    previews.push(...await Promise.all(urls.slice(at, at + atOnce).map((url, index) => previewOf(url, specs[at + index]))));
  }
  await nothingExists(t);
  const tasks = await Promise.all(urls.map((url, index) => createImport(server.api, url, {}, specs[index])));
  const ended = await awaitTasks(server.api, tasks.map(({ id }) => id));
  const kept = await Promise.all(ended.map(async ({ state, id }) => (state === 'STATE_SUCCEEDED' ? (await server.api.getImage({ id })).image : undefined)));
  const found = ended.map(({ failure }, index) => ({
    name: sample[index]!.name, reason: failure?.reason, check: failure?.metadata['check'], offset: failure?.metadata['offset'],
    format: kept[index]?.format ?? 'DISK_FORMAT_UNSPECIFIED', virtualSizeBytes: kept[index]?.virtualSizeBytes ?? 0n, warnings: kept[index]?.warnings ?? [],
  }));
  t.deepEqual(previews.map(({ failure, format, virtualSizeBytes, warnings }, index) => ({
    name: sample[index]!.name, reason: failure?.reason, check: failure?.metadata['check'], offset: failure?.metadata['offset'], format, virtualSizeBytes, warnings,
  })), found);
  t.is(await programs(), before);
});

test.serial('a source on loopback is refused where sources may lead to no private address, and reached on the one port that is allowed', async (t) => {
  const [allowed, other] = await Promise.all([0, 1].map(async () => {
    const listener = createServer(({ url }, response) => {
      if (url !== '/slow') response.writeHead(200).end(rawDisk(65_536, 1).bytes);
    }).listen(0, '127.0.0.1');
    t.teardown(() => listener.close().closeAllConnections());
    await once(listener, 'listening');
    return (listener.address() as AddressInfo).port;
  })) as [number, number];
  const strict = await startServer(t, await makeFolder(t), { 'source-allow': 'none' });
  for (const validateOnly of [true, false]) {
    const refusal = await refusalOf(strict.api.createTask({ ...importFrom(`http://127.0.0.1:${allowed}/disk`), validateOnly }));
    t.like(refusal, { code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' });
    t.deepEqual(refusal.violations.map(({ field }) => field), ['spec.import_image.source_uri']);
  }
  const narrow = await startServer(t, await makeFolder(t), { 'source-allow': `127.0.0.1:${allowed}`, 'idle-timeout': '1s' });
  const { preview } = await narrow.api.createTask({ ...importFrom(`http://127.0.0.1:${allowed}/disk`), validateOnly: true });
  t.is(preview?.failure, undefined);
  const slow = await narrow.api.createTask({ ...importFrom(`http://127.0.0.1:${allowed}/slow`), validateOnly: true });
  t.like(slow.preview, { depth: 'DEPTH_UNSPECIFIED', failure: { reason: 'REASON_SOURCE_TOO_SLOW' } });
  const { id } = await createImport(narrow.api, `http://127.0.0.1:${allowed}/disk`);
  t.is((await awaitTasks(narrow.api, [id]))[0]?.state, 'STATE_SUCCEEDED');
  for (const validateOnly of [true, false]) {
    t.like(await refusalOf(narrow.api.createTask({ ...importFrom(`http://127.0.0.1:${other}/disk`), validateOnly })), { code: 'INVALID_ARGUMENT' });
  }
});
