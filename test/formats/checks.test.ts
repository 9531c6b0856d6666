import test from 'ava';

import { isRetryableReason } from '../../src/domain/failures.ts';
import { checkTable } from '../../src/formats/check-table.ts';
import { headBytes, inspectHead } from '../../src/formats/inspect-head.ts';
import { inspect, inspectionReadLimitBytes } from '../../src/formats/inspect.ts';
import { badOvas } from '../archives/bad-ovas.ts';
import { badCompressed } from '../codecs/bad-compressed.ts';
import { badImages } from './build/bad-images.ts';
import { MemoryReader } from './build/memory-reader.ts';

const limits = { maxVirtualBytes: 64n * 1024n ** 4n, requireRecognisedRaw: true };

for (const { check, reason, name, build, declared = 'DISK_FORMAT_UNSPECIFIED' } of badImages) {
  test(`${check} refuses ${name}`, (t) => {
    const image = build();
    const verdict = inspect(new MemoryReader(image), declared, limits);
    if (verdict.kind === 'accepted') return t.fail(`accepted: ${JSON.stringify(verdict.facts)}`);
    const { reason: actual, message, metadata, retryable } = verdict.failure;
    t.deepEqual({ check: metadata['check'], reason: actual, retryable }, { check, reason: `REASON_${reason}`, retryable: isRetryableReason[reason] }, message);
    t.true(message.endsWith(checkTable[check].remedy));
    t.regex(message, /^[ -~]+$/);
    const reader = new MemoryReader(image);
    inspect(reader, declared, limits, 'headers');
    t.true(reader.bytesRead <= inspectionReadLimitBytes);

    const early = inspectHead(image.subarray(0, headBytes), declared);
    if (image.length < headBytes && early) t.is(early.metadata['check'], check);
  });
}

test('every check refuses some image', (t) => {
  // The ratio counts beyond 4 GiB: test/bytes/decode-job.test.ts tries it without as many bytes.
  const refusing = [...badImages, ...badCompressed, ...badOvas].map(({ check }) => check);
  t.deepEqual([...new Set([...refusing, 'compressed.ratio'])].sort(), Object.keys(checkTable).sort());
});

const early = ['polyglot', 'qcow2.backing_file', 'qcow2.data_file', 'qcow2.encryption', 'vmdk.extent_path', 'vmdk.parent', 'vhdx.log', 'vdi.parent'] as const;

for (const check of early) {
  test(`${check} answers while the rest still streams`, (t) => {
    const image = badImages.find((bad) => bad.check === check && !bad.name.includes('footer'));
    const head = Buffer.alloc(headBytes);
    image!.build().copy(head);
    t.is(inspectHead(head, 'DISK_FORMAT_UNSPECIFIED')?.metadata['check'], check);
  });
}
