import test from 'ava';

import { fileNameFor } from '../../../src/cli/download/file-name.ts';
import { filterKey, joinFilter, quoteFilterText } from '../../../src/cli/parse/filter.ts';
import { parseDurationMs } from '../../../src/cli/parse/parse-duration.ts';
import { isLoopback, parseHttpServer, parseServerAddress } from '../../../src/cli/parse/server-address.ts';
import type { DiskFormat } from '../../../src/gen/lehr/v1/disk_format.ts';
import { Image } from '../../../src/gen/lehr/v1/image.ts';

const accepted: readonly (readonly [parse: (text: string) => unknown, text: string, value: unknown])[] = [
  [parseDurationMs, '250ms', 250], [parseDurationMs, '48h', 172_800_000], [parseDurationMs, '1h30m', 5_400_000], [parseDurationMs, '1.5s', 1_500],
  [parseDurationMs, '3650d', 315_360_000_000],
  [parseServerAddress, 'localhost', 'localhost:50051'], [parseServerAddress, '', '127.0.0.1:50051'], [parseServerAddress, 'a.example:1', 'a.example:1'], [parseServerAddress, '[::1]', '[::1]:50051'],
  [parseHttpServer, '127.0.0.1:8080', 'http://127.0.0.1:8080'], [parseHttpServer, 'https://a.example/lehr/', 'https://a.example/lehr'],
];

for (const [parse, text, value] of accepted) test(`${parse.name} reads ${text}`, (t) => t.is(parse(text), value));

const refused: readonly (readonly [parse: (text: string) => unknown, texts: readonly string[]])[] = [
  [parseDurationMs, ['', '0s', '48', 'h', '1h 30m', '-1s', '1w', '3651d', '1e3s']],
  [parseServerAddress, ['a:0', 'a:65536', 'http://a:1', 'a:b', '::1', 'a b', 'a:1:2', 'a/b']],
  [parseHttpServer, ['', 'http://', 'http://u:p@a', 'http://a/?b', 'ftp://a']],
];

for (const [parse, texts] of refused) {
  for (const text of texts) test(`${parse.name} refuses "${text}"`, (t) => t.throws(() => parse(text), { name: 'InvalidArgumentError' }));
}

test('loopback is told from other addresses', (t) => {
  t.deepEqual(['127.0.0.1:1', '127.9.9.9:1', 'localhost:1', '[::1]:1'].map(isLoopback), [true, true, true, true]);
  t.deepEqual(['10.0.0.1:1', 'localhost.example:1', '127.example:1', '[::2]:1'].map(isLoopback), [false, false, false, false]);
});

test('texts of a filter are quoted so that none can leave its quotes', (t) => {
  t.is(joinFilter(['a = 1', undefined, '', `name = ${quoteFilterText('x" OR "\\')}`]), 'a = 1 AND name = "x\\" OR \\"\\\\"');
  t.deepEqual([filterKey('labels', 'env'), filterKey('labels', 'a.b')], ['labels.env', 'labels."a.b"']);
});

const names: readonly (readonly [name: string, format: DiskFormat, file: string])[] = [
  ['web', 'DISK_FORMAT_QCOW2', 'web.qcow2'],
  ['Debian 12.QCOW2', 'DISK_FORMAT_QCOW2', 'Debian 12.QCOW2'],
  ['disk.img', 'DISK_FORMAT_RAW', 'disk.img'],
  ['', 'DISK_FORMAT_ISO', 'the-id.iso'],
  ['../../etc/passwd', 'DISK_FORMAT_RAW', '_.._etc_passwd.raw'],
  ['.bashrc', 'DISK_FORMAT_RAW', 'bashrc.raw'],
  ['-rf', 'DISK_FORMAT_RAW', 'rf.raw'],
  ['a\u0000b\u001b[2J\u202e', 'DISK_FORMAT_VMDK', 'a_b__2J_.vmdk'],
  ['...', 'DISK_FORMAT_UNSPECIFIED', 'the-id.img'],
  ['日本', 'DISK_FORMAT_VHDX', '日本.vhdx'],
];

for (const [name, format, file] of names) {
  test(`an image named ${JSON.stringify(name)} is downloaded to ${file}`, (t) => {
    t.is(fileNameFor(Image.fromPartial({ id: 'the-id', name, format })), file);
  });
}
