import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { serverLimits } from '../../src/cli/inspect-source.ts';
import { checkTable } from '../../src/formats/check-table.ts';
import { inspectSource } from '../../src/inspect-source.ts';
import { settings } from '../../src/settings.ts';
import { buildOva } from '../archives/build-ova.ts';
import { u32be, u64be } from '../formats/build/change.ts';
import { naiveGuestDigest } from '../formats/build/naive-guest-digest.ts';
import { noise } from '../formats/build/noise.ts';
import { buildQcow2 } from '../formats/build/qcow2.ts';
import { buildRaw, mbr } from '../formats/build/raw.ts';
import { startBadServer } from '../sources/bad-server.ts';
import { runLehr } from './run-lehr.ts';

function fileOf(t: ExecutionContext, content: Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-inspect-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'disk.img');
  writeFileSync(file, content);
  return file;
}

const disk = buildRaw(mbr);
const unsafe = buildQcow2(3, u64be(8, 512n), u32be(16, 11));

test('a sound file is accepted, with its facts and every check', async (t) => {
  const file = fileOf(t, disk);
  const { exitCode, stdout, stderr } = await runLehr(['inspect', file]);
  t.deepEqual({ exitCode, stderr }, { exitCode: 0, stderr: '' });
  t.regex(stdout, /^verdict +accepted$/m);
  t.regex(stdout, /^format +raw$/m);
  t.true(stdout.includes(naiveGuestDigest(disk)));
  t.regex(stdout, /^raw\.size +passed$/m);
  t.false(stdout.includes('qcow2.'));
});

test('a file that an import would refuse has its check and exit code 1', async (t) => {
  const { exitCode, stdout, stderr } = await runLehr(['inspect', fileOf(t, unsafe)]);
  t.deepEqual({ exitCode, stderr }, { exitCode: 1, stderr: '' });
  t.regex(stdout, /^verdict +refused: IMAGE_UNSAFE$/m);
  t.regex(stdout, /^qcow2\.backing_file +failed$/m);
  t.regex(stdout, /^polyglot +passed$/m);
  t.regex(stdout, /^qcow2\.l1_table +not judged$/m);
  t.true(stdout.includes(checkTable['qcow2.backing_file'].remedy));
});

test('as JSON it is one object', async (t) => {
  const good = JSON.parse((await runLehr(['inspect', fileOf(t, disk), '--json'])).stdout) as Record<string, unknown>;
  t.like(good, { verdict: 'accepted', depth: 'guest', format: 'DISK_FORMAT_RAW', sizeBytes: String(disk.length), guestDigest: naiveGuestDigest(disk) });
  const { exitCode, stdout } = await runLehr(['--json', 'inspect', fileOf(t, unsafe)]);
  t.is(exitCode, 1);
  t.like(JSON.parse(stdout), { verdict: 'refused', failure: { reason: 'REASON_IMAGE_UNSAFE', metadata: { check: 'qcow2.backing_file' } } });
});

test('without the digest the guest\'s data is not read', async (t) => {
  const { stdout } = await runLehr(['inspect', '--no-digest', '--json', fileOf(t, disk)]);
  const { guestDigest, depth } = JSON.parse(stdout) as { guestDigest?: string; depth: string };
  t.deepEqual({ guestDigest, depth }, { guestDigest: undefined, depth: 'content' });
});

test('another format than the one asked for is refused', async (t) => {
  const { exitCode, stdout } = await runLehr(['inspect', '--format', 'qcow2', fileOf(t, disk)]);
  t.is(exitCode, 1);
  t.regex(stdout, /^format\.mismatch +failed$/m);
});

test('an address is inspected by its parts, or by its head where there are none', async (t) => {
  const { origin } = await startBadServer(t, (request, response) => {
    if (request.url === '/whole') return void response.end(disk);
    if (request.url === '/gone') return void response.writeHead(404).end();
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const body = disk.subarray(Number(first), Number(last) + 1);
    response.writeHead(206, { 'content-range': `bytes ${first}-${Number(first) + body.length - 1}/${disk.length}`, 'content-length': body.length });
    response.end(body);
  });
  const [parts, whole, gone] = await Promise.all(['parts', 'whole', 'gone'].map((path) => runLehr(['inspect', '--json', `${origin}/${path}`])));
  t.like(JSON.parse(parts?.stdout ?? ''), { verdict: 'accepted', depth: 'content', sizeBytes: String(disk.length) });
  t.like(JSON.parse(whole?.stdout ?? ''), { verdict: 'undecided', depth: 'head' });
  t.like(gone, { exitCode: 3, stdout: '' });
  t.like(JSON.parse(gone?.stderr ?? ''), { error: { reason: 'SOURCE_NOT_FOUND' } });
});

test('a compressed file is unwrapped first, into a place that is gone afterwards', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-inspect-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const env = { TMPDIR: folder };
  const good = await runLehr(['inspect', '--json', fileOf(t, gzipSync(disk))], { env });
  t.like(JSON.parse(good.stdout), { verdict: 'accepted', format: 'DISK_FORMAT_RAW', wrapper: 'gzip', guestDigest: naiveGuestDigest(disk) });
  const broken = gzipSync(disk);
  broken.writeUInt32LE(7, broken.length - 8);
  const bad = await runLehr(['inspect', fileOf(t, broken)], { env });
  t.is(bad.exitCode, 1);
  t.regex(bad.stdout, /^compressed\.corrupt +failed$/m);
  // The data that are broken are never come to: the first bytes inside are refused.
  const both = gzipSync(Buffer.concat([unsafe, noise(2 ** 20, 5)]));
  both.writeUInt32LE(7, both.length - 8);
  const inside = await runLehr(['inspect', fileOf(t, both)], { env });
  t.regex(inside.stdout, /^qcow2\.backing_file +failed$/m);
  t.regex(inside.stdout, /^polyglot +passed$/m);
  t.regex(inside.stdout, /^compressed\.corrupt +not judged$/m);
  t.notRegex(inside.stdout, /^compressed\.\S+ +passed$/m);
  t.deepEqual(readdirSync(folder), []);
});

test('of a disk in an OVA that is refused by its first bytes, the archive was judged and its compression was not', async (t) => {
  const { exitCode, stdout } = await runLehr(['inspect', fileOf(t, buildOva({ disk: Buffer.concat([unsafe, noise(2 ** 20, 5)]) }))]);
  t.is(exitCode, 1);
  t.regex(stdout, /^qcow2\.backing_file +failed$/m);
  t.regex(stdout, /^ova\.manifest +passed$/m);
  t.regex(stdout, /^compressed\.corrupt +not judged$/m);
});

test('of compressed content at an address that is refused by its first bytes no check of the compression has passed', async (t) => {
  const content = gzipSync(Buffer.concat([unsafe, noise(2 ** 20, 5)]));
  const { origin } = await startBadServer(t, (_request, response) => void response.end(content));
  const { exitCode, stdout } = await runLehr(['inspect', `${origin}/disk.gz`]);
  t.is(exitCode, 1);
  t.regex(stdout, /^qcow2\.backing_file +failed$/m);
  t.regex(stdout, /^compressed\.corrupt +not judged$/m);
  t.notRegex(stdout, /^compressed\.\S+ +passed$/m);
});

test('an OVA at an address is judged by its parts, and its manifest, for which all of it would be read, is not', async (t) => {
  const content = buildOva({ disk });
  const { origin } = await startBadServer(t, (request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const body = content.subarray(Number(first), Number(last) + 1);
    response.writeHead(206, { 'content-range': `bytes ${first}-${Number(first) + body.length - 1}/${content.length}`, 'content-length': body.length });
    response.end(body);
  });
  const { exitCode, stdout } = await runLehr(['inspect', `${origin}/vm.ova`]);
  t.is(exitCode, 0);
  t.regex(stdout, /^verdict +accepted$/m);
  t.regex(stdout, /^wrapped in +ova$/m);
  t.regex(stdout, /manifest=not verified$/m);
  t.regex(stdout, /^ova\.manifest +not judged$/m);
  t.regex(stdout, /^ova\.disk_count +passed$/m);
  t.regex(stdout, /^raw\.size +passed$/m);
});

test('a bomb is refused as an import would refuse it, before it fills the disk', async (t) => {
  const path = fileOf(t, gzipSync(Buffer.alloc(disk.length, disk)));
  const options = { source: { kind: 'file', path }, declared: 'DISK_FORMAT_UNSPECIFIED', withGuest: true, onProgress: () => undefined } as const;
  const signal = new AbortController().signal;
  t.like(await inspectSource({ ...options, limits: { ...serverLimits, maxImageBytes: disk.length } }, signal), { verdict: { kind: 'accepted' } });
  const bomb = await inspectSource({ ...options, limits: { ...serverLimits, maxImageBytes: disk.length - 1 } }, signal);
  t.like(bomb, { kind: 'judged', wrapper: 'gzip', verdict: { kind: 'refused', failure: { reason: 'REASON_DECOMPRESSION_LIMIT', metadata: { check: 'compressed.too_large' } } } });
});

test('the limits are those of a server that is not told otherwise', (t) => {
  const fallbackOf = (name: 'max-virtual-bytes' | 'max-image-bytes' | 'max-decoded-ratio'): unknown => settings[name].parse(settings[name].fallback);
  const { maxVirtualBytes, maxImageBytes, maxDecodedRatio } = serverLimits;
  t.deepEqual([Number(maxVirtualBytes), maxImageBytes, maxDecodedRatio], [
    fallbackOf('max-virtual-bytes'), fallbackOf('max-image-bytes'), fallbackOf('max-decoded-ratio'),
  ]);
});

test('what is no file is told', async (t) => {
  t.like(await runLehr(['inspect', '/nowhere/disk.img']), { exitCode: 3, stdout: '' });
  t.like(await runLehr(['inspect', tmpdir()]), { exitCode: 2, stdout: '' });
  t.like(await runLehr(['inspect', 'ftp://host/disk.img']), { exitCode: 2, stdout: '' });
});
