import { gzipSync } from 'node:zlib';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { importPreviews } from '../../src/api/preview-import.ts';
import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { ImportImage } from '../../src/gen/lehr/v1/task.ts';
import type { ImportPreview } from '../../src/gen/lehr/v1/task_service.ts';
import { createSources } from '../../src/sources/create-sources.ts';
import { buildRaw, mbr } from '../formats/build/raw.ts';
import { startBadServer } from '../sources/bad-server.ts';
import { settings } from '../sources/read.ts';

const disk = buildRaw(mbr);
const missing = 'qemu-img is missing: install it.';

type Formats = readonly [declared: DiskFormat, wanted: DiskFormat];

async function look(t: ExecutionContext, content: Buffer, formats: Formats, lacking?: string): Promise<ImportPreview> {
  const [sourceFormat, storeFormat] = formats;
  const { origin } = await startBadServer(t, (request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const body = content.subarray(Number(first), Number(last) + 1);
    response.writeHead(206, { 'content-range': `bytes ${first}-${Number(first) + body.length - 1}/${content.length}`, 'content-length': body.length }).end(body);
  });
  const sources = createSources(settings);
  t.teardown(() => sources.close());
  const previewImport = importPreviews({ sources, maxVirtualBytes: 2n ** 46n, requireRecognisedRaw: false, missingForConversion: lacking });
  return previewImport(ImportImage.fromPartial({ sourceUri: `${origin}/disk`, sourceFormat, storeFormat }), 'default', new AbortController().signal);
}

const unknown = 'DISK_FORMAT_UNSPECIFIED';
const inVain: readonly (readonly [title: string, formats: Formats, lacking: string | undefined, message: RegExp])[] = [
  ['a conversion to ISO', [unknown, 'DISK_FORMAT_ISO'], undefined, /^Nothing is converted to DISK_FORMAT_ISO/],
  ['a conversion on a machine without qemu-img', [unknown, 'DISK_FORMAT_QCOW2'], missing, /qemu-img is missing: install it/],
  ['the same of a format that is declared, and another one', ['DISK_FORMAT_VMDK', 'DISK_FORMAT_QCOW2'], missing, /qemu-img is missing: install it/],
];
for (const [title, formats, lacking, message] of inVain) {
  test(`what an import would refuse after all else is told: ${title}`, async (t) => {
    const { failure } = await look(t, disk, formats, lacking);
    t.is(failure?.reason, 'REASON_FORMAT_UNSUPPORTED');
    t.regex(failure?.message ?? '', message);
  });
}

const possible: readonly (readonly [title: string, content: Buffer, formats: Formats, lacking: string | undefined])[] = [
  ['is kept in its format', disk, [unknown, 'DISK_FORMAT_RAW'], missing],
  ['is kept as it comes', disk, [unknown, unknown], missing],
  ['is converted', disk, [unknown, 'DISK_FORMAT_QCOW2'], undefined],
  ['is compressed, and so of a format that nobody knows yet', gzipSync(disk), [unknown, 'DISK_FORMAT_QCOW2'], missing],
];
for (const [title, content, formats, lacking] of possible) {
  test(`nothing speaks against a disk that ${title}`, async (t) => {
    t.is((await look(t, content, formats, lacking)).failure, undefined);
  });
}
