import { deflateRawSync, deflateSync, zstdCompressSync } from 'node:zlib';

import test from 'ava';

import type { Extent } from '../../src/formats/guest/extent.ts';
import { guestBlockBytes, readGuestBlocks } from '../../src/formats/guest/guest-blocks.ts';
import { GuestDigest } from '../../src/formats/guest/guest-digest.ts';
import type { GuestDisk } from '../../src/formats/guest/guest-disk.ts';
import { ImageRefusedError } from '../../src/formats/refuse.ts';
import { MemoryReader } from './build/memory-reader.ts';
import { naiveGuestDigest } from './build/naive-guest-digest.ts';
import { noise, randomNumbers } from './build/noise.ts';

const encoders = { deflate: deflateRawSync, zlib: deflateSync, zstd: zstdCompressSync } as const;
const codecs = ['deflate', 'zlib', 'zstd'] as const;

/** A disk of pieces laid into a file in another order, with rubbish between them, and the bytes that the guest sees. */
function scatter(seed: number, pieces: number): { readonly file: Buffer; readonly disk: GuestDisk; readonly guest: Buffer } {
  const next = randomNumbers(seed);
  const file: Buffer[] = [noise(77, seed)];
  const extents: Extent[] = [];
  const guest: Buffer[] = [];
  let end = 77;
  for (let piece = 0; piece < pieces; piece += 1) {
    const lengthBytes = next(4) === 0 ? (1 + next(4)) * guestBlockBytes : 512 * (1 + next(150));
    const kind = (['zero', 'stored', 'compressed'] as const)[next(3)] ?? 'zero';
    const bytes = kind === 'zero' ? Buffer.alloc(lengthBytes) : next(5) === 0 ? Buffer.alloc(lengthBytes) : noise(lengthBytes, seed + piece);
    if (kind === 'zero') extents.push({ kind, lengthBytes });
    if (kind === 'stored') extents.push({ kind, lengthBytes, offset: end });
    const codec = codecs[next(3)] ?? 'zlib';
    const stored = kind === 'compressed' ? Buffer.concat([encoders[codec](bytes.subarray(0, 65_536)), noise(9, piece)]) : bytes;
    if (kind === 'compressed') {
      extents.push({ kind, lengthBytes: Math.min(lengthBytes, 65_536), offset: end, storedBytes: stored.length, codec });
    }
    guest.push(kind === 'compressed' ? bytes.subarray(0, 65_536) : bytes);
    if (kind !== 'zero') {
      file.push(stored);
      end += stored.length;
    }
  }
  const whole = Buffer.concat(guest);
  const disk = { sizeBytes: BigInt(whole.length), unitBytes: 512, walk: () => extents.values() as Generator<Extent> };
  return { file: Buffer.concat(file), guest: whole, disk };
}

interface Read {
  readonly blocks: readonly number[];
  readonly digest: string;
  readonly steps: readonly number[];
}

function read(file: Buffer, disk: GuestDisk): Read {
  const digest = new GuestDigest();
  const blocks: number[] = [];
  const steps = [...readGuestBlocks(new MemoryReader(file), disk, (index, block) => {
    blocks.push(index);
    digest.take(index, block);
  })];
  return { blocks, digest: digest.finish(), steps };
}

for (const seed of [1, 2, 3, 4]) {
  test(`a disk of scattered pieces is read as the guest sees it (seed ${seed})`, (t) => {
    const { file, disk, guest } = scatter(seed, 60);
    const { blocks, digest, steps } = read(file, disk);
    t.is(digest, naiveGuestDigest(guest));
    const dataBlocks = Array.from({ length: Math.ceil(guest.length / guestBlockBytes) }, (_, index) => index)
      .filter((index) => guest.subarray(index * guestBlockBytes, (index + 1) * guestBlockBytes).some((byte) => byte !== 0));
    t.deepEqual(blocks, dataBlocks);
    t.deepEqual(steps, steps.toSorted((left, right) => left - right));
    t.is(steps.at(-1), guest.length);
  });
}

test('the digest of a disk of zeros is that of nothing, whatever its size, and costs nothing', (t) => {
  const walk = function* (): Generator<Extent> {
    for (let part = 0; part < 64; part += 1) yield { kind: 'zero', lengthBytes: 2 ** 40 };
  };
  const { digest, steps } = read(Buffer.alloc(0), { sizeBytes: 2n ** 46n, unitBytes: 512, walk });
  t.is(digest, 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  t.true(steps.length < 200);
});

test('the size is no part of the digest, but the place of a block is', (t) => {
  const disk = (before: number, after: number): GuestDisk => ({
    sizeBytes: 0n,
    unitBytes: 512,
    *walk() {
      if (before > 0) yield { kind: 'zero', lengthBytes: before };
      yield { kind: 'stored', lengthBytes: 512, offset: 0 };
      if (after > 0) yield { kind: 'zero', lengthBytes: after };
    },
  });
  const bytes = noise(512, 1);
  const { digest } = read(bytes, disk(0, 0));
  t.is(read(bytes, disk(0, 10 * 2 ** 20)).digest, digest);
  t.not(read(bytes, disk(guestBlockBytes, 0)).digest, digest);
  t.is(digest, naiveGuestDigest(bytes));
});

const good = noise(4096, 2);
const broken: readonly (readonly [name: string, file: Buffer, extent: Partial<Extract<Extent, { kind: 'compressed' }>>])[] = [
  ['no deflate', noise(500, 1), { codec: 'deflate' }],
  ['no zlib frame', deflateRawSync(good), { codec: 'zlib' }],
  ['no zstd frame', deflateRawSync(good), { codec: 'zstd' }],
  ['deflate that ends too early', deflateRawSync(good).subarray(0, 2000), { codec: 'deflate' }],
  ['zstd that ends too early', zstdCompressSync(good).subarray(0, 2000), { codec: 'zstd' }],
  ['fewer bytes than the piece has', deflateRawSync(good.subarray(0, 4095)), { codec: 'deflate' }],
  ['zstd of fewer bytes with rubbish behind', Buffer.concat([zstdCompressSync(good.subarray(0, 4095)), Buffer.alloc(50)]), { codec: 'zstd' }],
  ['more than any piece may have', deflateRawSync(Buffer.alloc(2 ** 21 + 1)), { codec: 'deflate' }],
  ['zstd of more than any piece may have', zstdCompressSync(Buffer.alloc(2 ** 21 + 1)), { codec: 'zstd' }],
];

for (const [name, file, extent] of broken) {
  test(`a compressed piece is refused: ${name}`, (t) => {
    const disk: GuestDisk = {
      sizeBytes: 4096n,
      unitBytes: 512,
      *walk() {
        yield { kind: 'compressed', lengthBytes: 4096, offset: 0, storedBytes: file.length, codec: 'deflate', ...extent };
      },
    };
    const error = t.throws(() => read(file, disk), { instanceOf: ImageRefusedError });
    t.like(error.failure, { reason: 'REASON_IMAGE_CORRUPT', metadata: { check: 'compressed_data', offset: '0' } });
  });
}

test('zstd in several frames with rubbish behind is one piece', (t) => {
  const file = Buffer.concat([zstdCompressSync(good.subarray(0, 1000)), zstdCompressSync(good.subarray(1000)), noise(300, 3)]);
  const disk: GuestDisk = {
    sizeBytes: 4096n,
    unitBytes: 512,
    *walk() {
      yield { kind: 'compressed', lengthBytes: 4096, offset: 0, storedBytes: file.length, codec: 'zstd' };
    },
  };
  t.is(read(file, disk).digest, naiveGuestDigest(good));
});

test('a file that ends inside its data is truncated', (t) => {
  const disk: GuestDisk = { sizeBytes: 4096n, unitBytes: 512, *walk() { yield { kind: 'stored', lengthBytes: 4096, offset: 0 }; } };
  const error = t.throws(() => read(good.subarray(0, 4000), disk), { instanceOf: ImageRefusedError });
  t.is(error.failure.metadata['check'], 'truncated');
});
