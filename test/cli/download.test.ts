import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { Image } from '../../src/gen/lehr/v1/image.ts';
import type { ReadImageRequest } from '../../src/gen/lehr/v1/image_service.ts';
import { taskId } from './fixtures.ts';
import { runLehr, startLehr } from './run-lehr.ts';
import { Refusal, startStub } from './stub-server.ts';
import type { StubMethods } from './stub-server.ts';

const content = randomBytes(3_000_000);
const chunkBytes = 1_048_576;
const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
const image: Image = Image.fromPartial({
  id: taskId, name: '../.we\u001bird/disk', format: 'DISK_FORMAT_QCOW2', sizeBytes: BigInt(content.length), digest,
});

/** A server that hands out `bytes`, breaking off after the numbers of bytes given, once each. */
function imageStub(bytes: Buffer, requests: ReadImageRequest[] = [], ...breaks: readonly number[]): StubMethods {
  return {
    getImage: () => ({ image }),
    readImage: (request, call) => {
      requests.push(request);
      const end = breaks[requests.length - 1] ?? bytes.length;
      for (let at = Number(request.offset); at < end; at += chunkBytes) {
        call.write({ data: bytes.subarray(at, Math.min(at + chunkBytes, end)) });
      }
      if (end < bytes.length) throw new Refusal('UNAVAILABLE', 'SERVER_STOPPING', 'the server stops');
      call.end();
    },
  };
}

async function start(t: ExecutionContext, methods: StubMethods): Promise<{ readonly folder: string; readonly env: NodeJS.ProcessEnv }> {
  const stub = await startStub(methods);
  t.teardown(stub.kill);
  return { folder: await mkdtemp(path.join(tmpdir(), 'lehr-cli-')), env: { LEHR_SERVER: stub.address } };
}

test.serial('download writes the bytes under the image\'s name, made harmless', async (t) => {
  const { folder, env } = await start(t, imageStub(content));
  const ran = await runLehr(['images', 'download', taskId], { cwd: folder, env });
  const name = '_.we_ird_disk.qcow2';
  t.deepEqual([ran.exitCode, ran.stderr], [0, '']);
  t.true(ran.stdout.endsWith(`/${name}: 2.9 MiB, ${digest} verified\n`), ran.stdout);
  t.deepEqual(await readdir(folder), [name]);
  t.true(content.equals(await readFile(path.join(folder, name))));
});

test.serial('download goes on where the connection broke', async (t) => {
  const requests: ReadImageRequest[] = [];
  const { folder, env } = await start(t, imageStub(content, requests, 1_500_000, 2_000_000));
  const ran = await runLehr(['images', 'download', taskId, '-o', 'disk', '--json'], { cwd: folder, env });
  t.deepEqual([ran.exitCode, ran.stderr], [0, '']);
  t.deepEqual(JSON.parse(ran.stdout), { file: JSON.parse(ran.stdout).file, sizeBytes: '3000000', digest });
  t.true(content.equals(await readFile(path.join(folder, 'disk'))));
  t.deepEqual(requests.map(({ offset }) => offset), [0n, 1_500_000n, 2_000_000n]);
});

test.serial('download refuses to replace a file without --force', async (t) => {
  const { folder, env } = await start(t, imageStub(content));
  await writeFile(path.join(folder, 'disk'), 'mine');
  const ran = await runLehr(['images', 'download', taskId, '-o', 'disk'], { cwd: folder, env });
  t.is(ran.exitCode, 4);
  t.regex(ran.stderr, /^lehr: \S+\/disk exists\nreplace it with --force\n$/);
  t.is(await readFile(path.join(folder, 'disk'), 'utf8'), 'mine');
  t.is((await runLehr(['images', 'download', taskId, '-o', 'disk', '--force'], { cwd: folder, env })).exitCode, 0);
  t.true(content.equals(await readFile(path.join(folder, 'disk'))));
  t.deepEqual(await readdir(folder), ['disk']);
});

const altered = Buffer.from(content);
altered[1_000_000]! ^= 1;

const damaged: readonly (readonly [name: string, bytes: Buffer, exitCode: number, stderr: RegExp])[] = [
  ['other bytes', altered, 1, /^lehr: image \S+ did not come through whole: the bytes have the digest sha256:\S+ and not sha256:\S+\nnothing was kept/],
  ['too many bytes', Buffer.concat([content, content]), 1, /more than the 3000000 bytes of the image came\n/],
];

for (const [name, bytes, exitCode, stderr] of damaged) {
  test.serial(`download keeps nothing when ${name} come`, async (t) => {
    const { folder, env } = await start(t, imageStub(bytes));
    const ran = await runLehr(['images', 'download', taskId, '-o', 'disk'], { cwd: folder, env });
    t.deepEqual([ran.exitCode, ran.stdout.includes('verified')], [exitCode, false]);
    t.regex(ran.stderr, stderr);
    t.deepEqual(await readdir(folder), []);
  });
}

test.serial('download -o - pipes the bytes and nothing else', async (t) => {
  const small = { ...image, sizeBytes: 3n, digest: `sha256:${createHash('sha256').update('abc').digest('hex')}` };
  const { env } = await start(t, { ...imageStub(Buffer.from('abc')), getImage: () => ({ image: small }) });
  t.deepEqual(await runLehr(['images', 'download', taskId, '-o', '-'], { env }), { exitCode: 0, stdout: 'abc', stderr: '' });
});

test.serial('download leaves nothing behind when it is interrupted', async (t) => {
  const { folder, env } = await start(t, {
    getImage: () => ({ image }),
    readImage: (_request, call) => {
      call.on('error', () => undefined);
      call.write({ data: content.subarray(0, 1_000_000) });
    },
  });
  const watcher = watch(folder);
  t.teardown(() => watcher.close());
  const lehr = startLehr(['images', 'download', taskId, '-o', 'disk'], { cwd: folder, env });
  const [, part] = await once(watcher, 'change') as [string, string];
  t.regex(part, /^\.disk\.[0-9a-f]{12}\.part$/);
  lehr.child.kill('SIGINT');
  t.deepEqual(await lehr.ended, { exitCode: 130, stdout: '', stderr: 'lehr: interrupted\n' });
  t.deepEqual(await readdir(folder), []);
});

type AskedFor = readonly [url: string | undefined, range: string | undefined];

/** An HTTP door that serves `content` with ranges, dropping the first connection after a while. */
async function startHttpDoor(t: ExecutionContext): Promise<{ readonly address: string; readonly requests: AskedFor[] }> {
  const requests: AskedFor[] = [];
  const server = createServer((request, response) => {
    requests.push([request.url, request.headers.range]);
    const offset = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    response.writeHead(offset > 0 ? 206 : 200, { 'content-length': content.length - offset });
    if (requests.length > 1) response.end(content.subarray(offset));
    else response.write(content.subarray(0, 1_000_000), () => response.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.teardown(() => server.close());
  return { address: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

test.serial('download over HTTP goes on by range where the connection broke', async (t) => {
  const { folder, env } = await start(t, { getImage: () => ({ image }) });
  const door = await startHttpDoor(t);
  const ran = await runLehr(['images', 'download', taskId, '-o', 'disk', '--http-server', door.address], { cwd: folder, env });
  t.deepEqual([ran.exitCode, ran.stderr], [0, '']);
  t.true(content.equals(await readFile(path.join(folder, 'disk'))));
  const [first, second] = door.requests;
  t.deepEqual(first, [`/images/${taskId}/data`, undefined]);
  t.regex(second?.[1] ?? '', /^bytes=\d+-$/);
});

test.serial('download over HTTP says so when nobody is there', async (t) => {
  const { folder, env } = await start(t, { getImage: () => ({ image }) });
  const ran = await runLehr(['images', 'download', taskId, '-o', 'disk'], { cwd: folder, env: { ...env, LEHR_HTTP_SERVER: 'http://127.0.0.1:1' } });
  t.deepEqual(ran, {
    exitCode: 5, stdout: '',
    stderr: 'lehr: cannot read from http://127.0.0.1:1 (ECONNREFUSED)\nis --http-server the HTTP address of the server? without it the image comes over gRPC\n',
  });
});

test.serial('download -o - and --json cannot share stdout', async (t) => {
  t.deepEqual(await runLehr(['images', 'download', taskId, '-o', '-', '--json']), {
    exitCode: 2, stdout: '',
    stderr: '{"error":{"code":"INVALID_ARGUMENT","reason":"USAGE","message":"stdout cannot take both the image (-o -) and JSON (--json)"}}\n',
  });
});
