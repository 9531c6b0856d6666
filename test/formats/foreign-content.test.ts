import test from 'ava';

import { failure } from '../../src/domain/failures.ts';
import type { ReasonName } from '../../src/domain/failures.ts';
import { headBytes, inspectHead } from '../../src/formats/inspect-head.ts';
import { inspect } from '../../src/formats/inspect.ts';
import { foreignContents } from '../../src/formats/content/foreign-content.ts';
import { unsupportedFormats } from '../../src/formats/unsupported-formats.ts';
import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { compressedSamples, foreignSamples, textSamples, unsupportedSamples } from './build/foreign-samples.ts';
import { MemoryReader } from './build/memory-reader.ts';

const limits = { maxVirtualBytes: 64n * 1024n ** 4n };
const declarations: readonly DiskFormat[] = ['DISK_FORMAT_UNSPECIFIED', 'DISK_FORMAT_RAW', 'DISK_FORMAT_QCOW2', 'DISK_FORMAT_VHD'];

const groups = [
  ['content.not_a_disk', 'NOT_A_DISK_IMAGE', [...foreignSamples, ...textSamples]],
  ['content.compressed', 'NOT_A_DISK_IMAGE', compressedSamples],
  ['format.unsupported', 'FORMAT_UNSUPPORTED', unsupportedSamples],
] as const;

for (const [check, reason, samples] of groups) {
  samples.forEach(({ found, build }, index) => {
    test(`${check}: ${found}, sample ${index + 1}`, (t) => {
      const content = build();
      const expected = { check, reason: `REASON_${reason satisfies ReasonName}`, found };
      for (const declared of declarations) {
        const verdict = inspect(new MemoryReader(content), declared, limits);
        const answers = [verdict.kind === 'refused' ? verdict.failure : undefined, inspectHead(content, declared)];
        for (const answer of answers) {
          t.deepEqual({ check: answer?.metadata['check'], reason: answer?.reason, found: answer?.metadata['found'] }, expected, declared);
        }
      }
    });
  });
}

test('every foreign content and unsupported format has a sample', (t) => {
  const sampled = new Set([...foreignSamples, ...compressedSamples].map(({ found }) => found));
  t.deepEqual([...sampled].sort(), [...new Set(foreignContents.map(({ name }) => name))].sort());
  const unsupported = new Set([...unsupportedSamples.map(({ found }) => found), 'LUKS encrypted disk']);
  t.deepEqual([...unsupported].sort(), [...new Set(unsupportedFormats.map(({ name }) => name))].sort());
});

test('the message names what came, its size and the remedy', (t) => {
  const picture = Buffer.alloc(41_234);
  picture.write('\xff\xd8\xff', 'latin1');
  t.deepEqual(
    inspectHead(picture, 'DISK_FORMAT_RAW'),
    failure('NOT_A_DISK_IMAGE', 'The content is no disk image: JPEG picture, 41 KB. Check that the address leads to the image itself.', {
      check: 'content.not_a_disk',
      found: 'JPEG picture',
      size_bytes: '41234',
      offset: '0',
      value: 'JPEG picture',
    }),
  );
});

test('the size is left open while the content still streams', (t) => {
  const head = Buffer.alloc(headBytes, 'text\n');
  t.deepEqual(
    inspectHead(head, 'DISK_FORMAT_RAW'),
    failure('NOT_A_DISK_IMAGE', 'The content is no disk image: plain text, more than 327 KB. Check that the address leads to the image itself.', {
      check: 'content.not_a_disk',
      found: 'plain text',
      offset: '0',
      value: 'plain text',
    }),
  );
});

test('a long text is a text though the head cuts a character in two', (t) => {
  const page = Buffer.from(`x${'é'.repeat(headBytes)}`);
  t.is(inspectHead(page.subarray(0, headBytes), 'DISK_FORMAT_UNSPECIFIED')?.metadata['found'], 'plain text');
});

test('one byte that is not printable makes a text a disk', (t) => {
  const disk = Buffer.alloc(512 * 100, 'text and text alone\n');
  disk.writeUInt8(0, 50_000);
  t.is(inspectHead(disk, 'DISK_FORMAT_RAW'), undefined);
});
