import { constants, createZstdDecompress } from 'node:zlib';
import type { ByteReader } from '../formats/reading/byte-reader.ts';
import { refuse } from '../formats/refuse.ts';
import { decoderMemoryLimitBytes, pieceBytes } from './piece.ts';
import type { CodecFacts, Decode } from './piece.ts';
import { throughZlib } from './through-zlib.ts';
import type { ZlibInput } from './through-zlib.ts';
import { zstdFrameAt } from './zstd-frame.ts';
import type { ZstdFrame } from './zstd-frame.ts';

/** What the decoder needs beside the window. */
const overheadBytes = 512 * 1024;
const inputPieceBytes = 64 * 1024;
const rleBlock = 1;

/**
 * zstd (RFC 8878). Several frames are one content, as zstd itself has it and pzstd writes it, and skippable ones are skipped.
 * A frame's check sum is verified where it has one; the fact `checksum` says whether all had.
 */
export const decodeZstd: Decode = async function* (file, claim) {
  let frames = 0;
  let summedFrames = 0;
  for (let at = 0; at < file.sizeBytes; ) {
    const frame = zstdFrameAt(file, at);
    if (frame === undefined) {
      const value = Buffer.from(file.read(at, 4)).toString('hex');
      refuse('compressed.trailing_data', `${file.sizeBytes - at} bytes follow the end of the zstd data at ${at}.`, { offset: at, value });
    }
    if (frame.kind === 'skippable') {
      at = frame.endOffset;
      yield { bytes: new Uint8Array(0), inputBytes: at };
      continue;
    }
    await claim(Math.min(decoderMemoryLimitBytes, frame.windowBytes + overheadBytes));
    const input = frameInput(file, at, frame);
    const params = { [constants.ZSTD_d_windowLogMax]: Math.log2(decoderMemoryLimitBytes) };
    yield* throughZlib(createZstdDecompress({ params, chunkSize: pieceBytes }), input);
    at = input.endOffset();
    frames += 1;
    if (frame.checksumBytes > 0) summedFrames += 1;
  }
  return { members: String(frames), checksum: summedFrames === frames ? 'xxh64' : 'none' } satisfies CodecFacts;
};

/**
 * The bytes of one frame: its blocks tell their lengths, so the end is known here and not left to the decoder, which does
 * not complain when the input ends early.
 */
function frameInput(file: ByteReader, start: number, frame: Extract<ZstdFrame, { kind: 'data' }>): ZlibInput & { endOffset(): number } {
  const buffer = Buffer.allocUnsafeSlow(inputPieceBytes);
  let at = start;
  /** So far the bytes are known to be the frame's. */
  let known = frame.firstBlockOffset;
  let isLast = false;
  return {
    start,
    endOffset: () => known,
    next() {
      if (isLast && at === known) return undefined;
      const bytes = file.read(at, buffer.length, buffer);
      const end = at + bytes.length;
      while (!isLast && known + 3 <= end) {
        const header = (bytes[known - at] ?? 0) | ((bytes[known - at + 1] ?? 0) << 8) | ((bytes[known - at + 2] ?? 0) << 16);
        isLast = (header & 1) !== 0;
        known += 3 + (((header >>> 1) & 3) === rleBlock ? 1 : header >>> 3) + (isLast ? frame.checksumBytes : 0);
      }
      const mine = bytes.subarray(0, Math.min(end, known) - at);
      if (mine.length === 0) {
        const value = at < known ? `a block that reaches to ${known}` : 'no last block';
        refuse('compressed.truncated', `The content ends after ${file.sizeBytes} bytes, in a zstd frame.`, { offset: file.sizeBytes, value });
      }
      at += mine.length;
      return mine;
    },
  };
}
