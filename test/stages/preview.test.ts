import type { ServerResponse, IncomingMessage } from 'node:http';
import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { readOva } from '../../src/archives/ova.ts';
import { inspectRangedOva, rangedReadLimitBytes, type RangedBytes } from '../../src/bytes/ranged/inspect-ranged.ts';
import { headBytes } from '../../src/formats/inspect-head.ts';
import { ImageRefusedError } from '../../src/formats/refuse.ts';
import type { Failure } from '../../src/gen/lehr/v1/failure.ts';
import { createSources } from '../../src/sources/create-sources.ts';
import { preview, type Preview } from '../../src/stages/preview.ts';
import { openly } from '../../src/sources/source.ts';
import { badOvas } from '../archives/bad-ovas.ts';
import { buildOva, buildTar, descriptor } from '../archives/build-ova.ts';
import { zstdZeros } from '../codecs/bad-compressed.ts';
import { compress } from '../codecs/compress.ts';
import { badImages } from '../formats/build/bad-images.ts';
import { MemoryReader } from '../formats/build/memory-reader.ts';
import { buildQcow2 } from '../formats/build/qcow2.ts';
import { buildRaw, mbr } from '../formats/build/raw.ts';
import { u32be, u64be } from '../formats/build/change.ts';
import { vhdFooter } from '../formats/build/vhd.ts';
import { startBadServer } from '../sources/bad-server.ts';
import { settings } from '../sources/read.ts';
import { hasTool } from '../tooling/has-tool.ts';

const limits = { maxVirtualBytes: 64n * 1024n ** 4n, requireRecognisedRaw: false };
const never = new AbortController().signal;

/** A server that gives ranges of `content`, and counts the bytes that it gave. */
async function serve(t: ExecutionContext, content: Buffer, hasRanges = true): Promise<{ readonly url: string; sent: () => number }> {
  let sent = 0;
  const { origin } = await startBadServer(t, (request: IncomingMessage, response: ServerResponse) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const isRange = hasRanges && first !== undefined;
    const body = isRange ? content.subarray(Number(first), Number(last) + 1) : content;
    sent += body.length;
    response.writeHead(isRange ? 206 : 200, {
      'content-length': body.length, etag: '"v1"',
      ...(isRange ? { 'content-range': `bytes ${first}-${Number(first) + body.length - 1}/${content.length}` } : {}),
    });
    response.end(body);
  });
  return { url: `${origin}/disk`, sent: () => sent };
}

/** The refusal of an archive that is here. */
function refusalOf(ova: Buffer): Failure | undefined {
  try {
    const steps = readOva(new MemoryReader(ova));
    while (steps.next().done !== true);
    return undefined;
  } catch (error) {
    if (error instanceof ImageRefusedError) return error.failure;
    throw error;
  }
}

/** `beginning`, and zeros behind it. */
function endlessZeros(beginning: Buffer, sizeBytes: number): { readonly ranged: RangedBytes; read: () => number } {
  let readBytes = 0;
  const read = async (offset: number, length: number): Promise<Uint8Array> => {
    readBytes += length;
    const bytes = Buffer.alloc(length);
    if (offset < beginning.length) beginning.copy(bytes, 0, offset);
    return bytes;
  };
  return { ranged: { sizeBytes, read }, read: () => readBytes };
}

async function look(t: ExecutionContext, url: string): Promise<Preview> {
  const sources = createSources({ ...settings, maxImageBytes: 2 ** 40 });
  t.teardown(() => sources.close());
  return preview(sources, { source: openly(url), declared: 'DISK_FORMAT_UNSPECIFIED', ...limits }, never);
}

test('a good image is judged to its tables, by the parts that tell', async (t) => {
  const content = Buffer.concat([buildRaw(mbr), Buffer.alloc(8 * 2 ** 20)]);
  const { url, sent } = await serve(t, content);
  const { verdict, ...rest } = await look(t, url);
  t.like(rest, { depth: 'tables', sizeBytes: content.length, failure: undefined });
  t.like(verdict, { format: 'DISK_FORMAT_RAW', virtualSizeBytes: BigInt(content.length), guestDigest: '' });
  t.true(sent() < 2 ** 21, `${sent()} bytes were read`);
});

const bad: readonly (readonly [name: string, content: () => Buffer, check: string, depth: Preview['depth']])[] = [
  ['a backing file', () => buildQcow2(3, u64be(8, 512n), u32be(16, 11)), 'qcow2.backing_file', 'head'],
  ['an HTML page', () => Buffer.from('<!DOCTYPE html><html>not here</html>'), 'content.not_a_disk', 'head'],
  ['a footer behind a qcow2', () => Buffer.concat([buildQcow2(3), Buffer.alloc(2 ** 20), vhdFooter()]), 'polyglot', 'tables'],
];

for (const [name, content, check, depth] of bad) {
  test(`what an import would refuse is told: ${name}`, async (t) => {
    const { url } = await serve(t, content());
    const found = await look(t, url);
    t.is(found.failure?.metadata['check'], check, found.failure?.message);
    t.is(found.depth, depth);
    t.is(found.verdict, undefined);
  });
}

for (const hasRanges of [true, false]) {
  test(`what is compressed is not refused for it, ${hasRanges ? 'with' : 'without'} ranges`, async (t) => {
    const content = gzipSync(buildRaw(mbr));
    const { url } = await serve(t, content, hasRanges);
    t.deepEqual(await look(t, url), { depth: 'head', sizeBytes: content.length, facts: { codec: 'gzip' }, failure: undefined, verdict: undefined });
  });
}

test('a server without ranges lets the head be judged, and the rest is not read', async (t) => {
  const { url } = await serve(t, Buffer.concat([buildRaw(mbr), Buffer.alloc(64 * 2 ** 20)]), false);
  t.like(await look(t, url), { depth: 'head', failure: undefined, verdict: undefined, sizeBytes: 65 * 2 ** 20 });
  const page = await serve(t, Buffer.from('<html>'), false);
  t.like(await look(t, page.url), { depth: 'head', failure: { reason: 'REASON_NOT_A_DISK_IMAGE' } });
});

for (const hasRanges of [true, false]) {
  test(`compressed content is no failure, since an import decodes it: ${hasRanges ? 'with' : 'without'} ranges`, async (t) => {
    const { url } = await serve(t, gzipSync(buildQcow2(3)), hasRanges);
    t.like(await look(t, url), { depth: 'head', failure: undefined, verdict: undefined, facts: { codec: 'gzip' } });
  });
}

const page = Buffer.from('<!DOCTYPE html><html>not here</html>');
const noisy = Buffer.concat([buildRaw(mbr), randomBytes(4 * 2 ** 20)]);
const unsafe = Buffer.concat([buildQcow2(3, u64be(8, 512n), u32be(16, 11)), randomBytes(4 * 2 ** 20)]);
const cut = (whole: Buffer): Buffer => whole.subarray(0, whole.length - 9);
type Inside = readonly [name: string, content: () => Buffer, check: string | undefined, withoutRanges?: 'undecided'];
const inside: readonly Inside[] = [
  ['a page in gzip', () => gzipSync(page), 'content.not_a_disk'],
  ['a page in zstd', () => zstdCompressSync(page), 'content.not_a_disk'],
  ['a qcow2 with a backing file in gzip', () => gzipSync(unsafe), 'qcow2.backing_file'],
  ['a qcow2 with a backing file in zstd', () => zstdCompressSync(unsafe), 'qcow2.backing_file'],
  ['gzip in gzip', () => gzipSync(gzipSync(page)), 'compressed.nested'],
  ['a page in gzip that was cut', () => cut(gzipSync(page)), 'compressed.truncated'],
  ['a disk in gzip that is cut where nobody looks', () => cut(gzipSync(noisy)), undefined],
  ['4 GiB of zeros in zstd', () => zstdZeros(4 * 2 ** 30), undefined],
  ...(hasTool('compressors') ? [
    ['a page in bzip2', () => compress('bzip2', page), 'content.not_a_disk'],
    ['a page in xz', () => compress('xz', page), 'content.not_a_disk'],
    ['a qcow2 with a backing file in a block of bzip2 that is larger than a head', () => compress('bzip2 -9', unsafe), 'qcow2.backing_file', 'undecided'],
  ] satisfies Inside[] : []),
];
for (const [name, build, check, withoutRanges] of inside) {
  for (const hasRanges of [true, false]) {
    test(`the first bytes inside are judged, ${hasRanges ? 'with' : 'without'} ranges: ${name}`, async (t) => {
      const content = build();
      const { url, sent } = await serve(t, content, hasRanges);
      const found = await look(t, url);
      t.is(found.failure?.metadata['check'], !hasRanges && withoutRanges === 'undecided' ? undefined : check, found.failure?.message);
      t.is(found.depth, 'head');
      t.regex(found.facts['codec'] ?? '', /^(?:gzip|zstd|bzip2|xz)$/);
      if (hasRanges) t.true(sent() <= 3 * 2 ** 20, `${sent()} bytes were read`);
    });
  }
}

/** What comes before the disk is judged, and what it is judged by: as an import does, but for the digests of the manifest. */
for (const { check, name, build } of badOvas) {
  // The one begins with a disk and the other with zeros: neither is taken for an OVA.
  if (name === 'an archive whose first member is no descriptor' || name === 'no members') continue;
  test(`of an OVA the members are judged by ranges: ${check}, ${name}`, async (t) => {
    const content = build();
    const { url, sent } = await serve(t, content);
    const { depth, facts, failure, verdict } = await look(t, url);
    t.is(facts['codec'], 'ova');
    t.true(sent() <= 2 * content.length + headBytes, `${sent()} bytes were read`);
    // The disk of these is a text, and is come to.
    if (check === 'ova.manifest') return t.like({ facts, failure }, { facts: { manifest: 'not verified' }, failure: { metadata: { check: 'content.not_a_disk' } } });
    t.deepEqual(failure, refusalOf(content), failure?.message);
    t.deepEqual([depth, verdict], ['head', undefined]);
  });
}

test('the disk of an OVA is judged to its tables by ranges, wherever it lies, and little of it is read', async (t) => {
  const disk = Buffer.concat([buildRaw(mbr), Buffer.alloc(32 * 2 ** 20, 1)]);
  const content = buildOva({ disk, more: [{ name: 'second.bin', content: Buffer.alloc(32 * 2 ** 20, 2) }] });
  const { url, sent } = await serve(t, content);
  const { verdict, ...rest } = await look(t, url);
  t.like(rest, { depth: 'tables', sizeBytes: content.length, failure: undefined });
  t.like(rest.facts, { codec: 'ova', members: '4', ova_disk: 'disk.vmdk', ova_manifest: 'vm.mf', manifest: 'not verified', content: 'MBR, 1 partition' });
  t.like(verdict, { format: 'DISK_FORMAT_RAW', virtualSizeBytes: BigInt(disk.length) });
  t.true(sent() < 3 * 2 ** 20, `${sent()} bytes were read`);
});

const badDisks: readonly (readonly [name: string, disk: () => Buffer, check: string, depth: Preview['depth']])[] = [
  ['a backing file', () => buildQcow2(3, u64be(8, 512n), u32be(16, 11)), 'qcow2.backing_file', 'head'],
  ['a page', () => page, 'content.not_a_disk', 'head'],
  ['a qcow2 that is compressed without a word', () => gzipSync(unsafe), 'compressed.nested', 'head'],
  ['an OVA', () => buildOva(), 'compressed.nested', 'head'],
  ['a footer behind a qcow2', () => Buffer.concat([buildQcow2(3), Buffer.alloc(2 ** 20), vhdFooter()]), 'polyglot', 'tables'],
  ['a table that leads outside', () => badImages.find(({ check }) => check === 'qcow2.cluster')!.build(), 'qcow2.cluster', 'tables'],
];
for (const [name, disk, check, depth] of badDisks) {
  test(`the disk of an OVA is refused as an import would: ${name}`, async (t) => {
    const { url } = await serve(t, buildOva({ disk: disk() }));
    const found = await look(t, url);
    t.deepEqual([found.failure?.metadata['check'], found.depth, found.verdict], [check, depth, undefined] as never, found.failure?.message);
    t.like(found.facts, { codec: 'ova', manifest: 'not verified' });
  });
}

test('of a disk that its OVA says is compressed the first bytes inside are judged', async (t) => {
  const compressed = descriptor({ file: 'ovf:id="file1" ovf:href="disk.vmdk" ovf:compression="gzip"' });
  const bad = await serve(t, buildOva({ disk: gzipSync(unsafe), descriptor: compressed }));
  t.like(await look(t, bad.url), { depth: 'head', failure: { metadata: { check: 'qcow2.backing_file' } } });
  t.true(bad.sent() < 4 * 2 ** 20, `${bad.sent()} bytes were read`);
  const good = await serve(t, buildOva({ disk: gzipSync(noisy), descriptor: compressed }));
  t.like(await look(t, good.url), { depth: 'head', failure: undefined, verdict: undefined, facts: { codec: 'ova', members: '3' } });
});

test('of an OVA without a manifest nothing is left out, and without ranges nothing but that it is one is told', async (t) => {
  const content = buildTar([{ name: 'vm.ovf', content: Buffer.from(descriptor()) }, { name: 'disk.vmdk', content: buildRaw(mbr) }]);
  const { url } = await serve(t, content);
  t.is((await look(t, url)).facts['manifest'], undefined);
  const whole = await serve(t, content, false);
  t.deepEqual(await look(t, whole.url), { depth: 'head', sizeBytes: content.length, facts: { codec: 'ova' }, failure: undefined, verdict: undefined });
});

test('an OVA that never ends is given up at the bound, and left to the import', async (t) => {
  const { ranged, read } = endlessZeros(buildTar([{ name: 'vm.ovf', content: Buffer.from(descriptor()) }]), 2 ** 40);
  const found = await inspectRangedOva(ranged, { declared: 'DISK_FORMAT_UNSPECIFIED', ...limits }, never);
  t.deepEqual([found.refusal, found.judged], [undefined, undefined]);
  t.true(read() <= rangedReadLimitBytes);
});

test('a source that cannot be read is a failure of the source', async (t) => {
  const { origin } = await startBadServer(t, (_, response) => void response.writeHead(404).end());
  t.like(await look(t, `${origin}/gone`), { depth: 'none', failure: { reason: 'REASON_SOURCE_NOT_FOUND' } });
});

test('whoever gives up is not answered', async (t) => {
  const { origin } = await startBadServer(t, () => undefined);
  const canceled = new Error('gone');
  const sources = createSources(settings);
  t.teardown(() => sources.close());
  const stop = new AbortController();
  const looking = preview(sources, { source: openly(`${origin}/slow`), declared: 'DISK_FORMAT_UNSPECIFIED', ...limits }, stop.signal);
  stop.abort(canceled);
  t.is(await t.throwsAsync(looking), canceled);
});
