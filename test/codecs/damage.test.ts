import test from 'ava';
import type { ExecutionContext } from 'ava';

import type { StreamCodec } from '../../src/formats/wrapper.ts';
import { noise, randomNumbers } from '../formats/build/noise.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { byNode, compress } from './compress.ts';
import { decodeAll } from './decode-all.ts';

const seed = Number(process.env['LEHR_TEST_SEED'] ?? 20_261_127);
const rounds = 300;
/** Small, so that many damages can be tried, and of more than one kind, so that all parts of a decoder run. */
const content = Buffer.concat([Buffer.alloc(3000), Buffer.from('a text that repeats; '.repeat(150)), noise(1500, 4), Buffer.alloc(900, 0xe5)]);
const damaged = ['compressed.corrupt', 'compressed.truncated', 'compressed.trailing_data', 'compressed.unsupported', 'compressed.memory'];
/** A content of some hundred bytes cannot decode to more, whatever was flipped: zstd makes 128 KiB of 4 bytes. */
const stopBytes = 64 * 1024 * 1024;

const samples: (readonly [StreamCodec, string, () => Buffer])[] = byNode.map(([codec, pack]) => [codec, 'Node.js', () => pack(content)]);
if (hasTool('compressors')) {
  const commands = [['gzip', 'gzip'], ['xz', 'xz'], ['xz', 'xz --check=crc32 --block-size=4096'], ['zstd', 'zstd -19'], ['bzip2', 'bzip2']] as const;
  for (const [codec, command] of commands) {
    samples.push([codec, command, () => compress(command, content)]);
  }
}

for (const [codec, maker, pack] of samples) {
  test(`${codec} by ${maker} that was cut off anywhere is refused`, async (t) => {
    const packed = pack();
    for (let length = 1; length < packed.length; length += length < 60 || length > packed.length - 60 ? 1 : 13) {
      const outcome = await decodeAll(codec, packed.subarray(0, length), stopBytes);
      if (outcome.kind === 'decoded') return t.fail(`${length} of ${packed.length} bytes were accepted`);
      t.true(damaged.includes(outcome.check), outcome.message);
      t.regex(outcome.metadata['offset'] ?? '', /^\d+$/);
      t.regex(outcome.metadata['value'] ?? '', /^[ -~]+$/);
    }
  });

  test(`${codec} by ${maker} with a flipped bit is refused, or the content is the same (seed ${seed})`, async (t) => {
    const packed = pack();
    const next = randomNumbers(seed);
    let refused = 0;
    for (let round = 0; round < rounds; round += 1) {
      const image = Buffer.from(packed);
      const at = next(image.length);
      image[at]! ^= 1 << next(8);
      refused += await judge(t, codec, image, `bit ${at}`);
    }
    t.true(refused > rounds / 2);
  });

  test(`${codec} by ${maker} with a piece of noise is refused, or the content is the same (seed ${seed})`, async (t) => {
    const packed = pack();
    const next = randomNumbers(seed + 1);
    for (let round = 0; round < rounds / 3; round += 1) {
      const image = Buffer.from(packed);
      const at = 4 + next(image.length - 8);
      noise(1 + next(12), round + 1).copy(image, at);
      await judge(t, codec, image, `noise at ${at}`);
    }
  });
}

/** 1: it was refused. */
async function judge(t: ExecutionContext, codec: StreamCodec, image: Buffer, what: string): Promise<number> {
  const outcome = await decodeAll(codec, image, stopBytes);
  if (outcome.kind === 'refused') t.true(damaged.includes(outcome.check), `${what}: ${outcome.message}`);
  else t.true(outcome.bytes.equals(content), `${what}: another content was accepted`);
  return outcome.kind === 'refused' ? 1 : 0;
}
