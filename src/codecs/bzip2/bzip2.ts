import type { ByteReader } from '../../formats/reading/byte-reader.ts';
import { refuse } from '../../formats/refuse.ts';
import { pieceBytes } from '../piece.ts';
import type { CodecFacts, Decode, Piece } from '../piece.ts';
import { BitReader } from './bit-reader.ts';
import { BlockBytes } from './block-bytes.ts';
import { blockCrc, blockCrcStart } from './block-crc.ts';
import { corrupt, readBlock } from './read-block.ts';

/** The block of up to 900,000 entries of 4 bytes, and what is small beside it. */
const memoryBytes = 5 * 1024 * 1024;
const levelBytes = 100_000;
/** The digits of pi begin a block, those of its square root the end of a stream. */
const blockMagic = [0x314159, 0x265359] as const;
const endMagic = [0x177245, 0x385090] as const;

/**
 * bzip2 (Julian Seward, bzip2 1.0.8). Several streams are one content, as pbzip2 writes it. The CRC-32 of each block and of
 * each stream is compared. Our own: of the packages there are, the two in JavaScript never end on a run whose length
 * overflows, and those in WebAssembly take and give the whole content at once.
 */
export const decodeBzip2: Decode = async function* (file, claim) {
  await claim(memoryBytes);
  const bits = new BitReader(file, 0);
  const target = Buffer.allocUnsafeSlow(pieceBytes);
  let streams = 0;
  while (bits.offset < file.sizeBytes) {
    if (streams > 0) checkNextStream(bits, file);
    yield* decodeStream(bits, target);
    streams += 1;
  }
  return { members: String(streams) } satisfies CodecFacts;
};

function checkNextStream(bits: BitReader, file: ByteReader): void {
  const { offset } = bits;
  const found = Buffer.from(file.read(offset, 3));
  if (found.toString('latin1') === 'BZh') return;
  refuse('compressed.trailing_data', `${file.sizeBytes - offset} bytes follow the end of the bzip2 data at ${offset}.`, {
    offset,
    value: found.toString('hex'),
  });
}

function* decodeStream(bits: BitReader, target: Uint8Array): Generator<Piece, void, undefined> {
  const magic = bits.read(24);
  const level = bits.read(8) - 0x30;
  if (magic !== 0x425a68 || level < 1 || level > 9) corrupt(bits, 'block size', level);
  const table = new Uint32Array(level * levelBytes);
  for (let streamSum = 0; ; ) {
    const first = bits.read(24);
    const second = bits.read(24);
    const statedSum = bits.read32();
    if (first === endMagic[0] && second === endMagic[1]) {
      if (statedSum !== streamSum) corrupt(bits, 'check sum of the whole', statedSum);
      bits.align();
      return;
    }
    if (first !== blockMagic[0] || second !== blockMagic[1]) corrupt(bits, 'beginning of a block', first);
    let sum = blockCrcStart;
    const block = new BlockBytes(table, readBlock(bits, table));
    for (let count = target.length; count === target.length; ) {
      count = block.read(target);
      const bytes = target.subarray(0, count);
      sum = blockCrc(sum, bytes);
      yield { bytes, inputBytes: bits.offset };
    }
    const blockSum = ~sum >>> 0;
    if (blockSum !== statedSum) corrupt(bits, 'check sum of a block', statedSum);
    streamSum = (((streamSum << 1) | (streamSum >>> 31)) ^ blockSum) >>> 0;
  }
}
