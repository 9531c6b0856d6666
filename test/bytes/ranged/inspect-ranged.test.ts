import test from 'ava';
import { inspectRanged, type RangedBytes } from '../../../src/bytes/ranged/inspect-ranged.ts';
import { rangePageBytes } from '../../../src/bytes/ranged/ranged-messages.ts';
import { FailureError, failure } from '../../../src/domain/failures.ts';
import { inspect } from '../../../src/formats/inspect.ts';
import { badImages } from '../../formats/build/bad-images.ts';
import { goodImages } from '../../formats/build/good-images.ts';
import { MemoryReader } from '../../formats/build/memory-reader.ts';

const inspection = { declared: 'DISK_FORMAT_UNSPECIFIED', maxVirtualBytes: 64n * 1024n ** 4n } as const;
const never = new AbortController().signal;

function bytesOf(content: Buffer, asked: number[] = []): RangedBytes {
  return {
    sizeBytes: content.length,
    async read(offset, length) {
      asked.push(offset);
      return content.subarray(offset, offset + length);
    },
  };
}

test('images that are elsewhere are judged as those that are here', async (t) => {
  const images = [...goodImages.filter((_, index) => index % 5 === 0), ...badImages.filter((_, index) => index % 40 === 0)];
  for (const { name, build, declared } of images) {
    if (declared !== undefined) continue;
    const content = build();
    const expected = inspect(new MemoryReader(content), inspection.declared, inspection, 'content');
    t.deepEqual(await inspectRanged(bytesOf(content), inspection, never), { verdict: expected, depth: 'content' }, name);
  }
});

test('what is asked for are pages, and the same page seldom twice', async (t) => {
  const asked: number[] = [];
  const vhdx = goodImages.find(({ format }) => format === 'DISK_FORMAT_VHDX');
  await inspectRanged(bytesOf(vhdx!.build(), asked), inspection, never);
  t.true(asked.every((offset) => offset % rangePageBytes === 0));
  t.true(asked.length < 2 * new Set(asked).size, asked.join(' '));
});

test('what the source throws is thrown', async (t) => {
  const lost = new FailureError(failure('SOURCE_CHANGED', 'It is another one now.'));
  const read = async (): Promise<never> => { throw lost; };
  t.is(await t.throwsAsync(inspectRanged({ sizeBytes: 4096, read }, inspection, never)), lost);
});

test('an inspection that is given up ends at once, though the source never answers', async (t) => {
  const stop = new AbortController();
  const reason = new Error('enough');
  const asked = Promise.withResolvers<void>();
  const read = (): Promise<never> => {
    asked.resolve();
    return new Promise(() => undefined);
  };
  const inspecting = inspectRanged({ sizeBytes: 4096, read }, inspection, stop.signal);
  await asked.promise;
  stop.abort(reason);
  t.is(await t.throwsAsync(inspecting), reason);
});
