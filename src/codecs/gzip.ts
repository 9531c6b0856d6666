import { createInflateRaw, crc32 } from 'node:zlib';
import type { ByteReader } from '../formats/reading/byte-reader.ts';
import { Fields } from '../formats/reading/fields.ts';
import { refuse } from '../formats/refuse.ts';
import { gzipDataOffset } from './gzip-header.ts';
import { pieceBytes } from './piece.ts';
import type { CodecFacts, Decode, Piece } from './piece.ts';
import { throughZlib } from './through-zlib.ts';

/** The window of 32 KiB and the tables beside it. */
const memoryBytes = 64 * 1024;
const inputPieceBytes = 64 * 1024;
const trailerBytes = 8;

/**
 * gzip (RFC 1952). Several members are one content, as the standard has it and pigz and bgzip write it; zeros up to the end
 * are padding, since tapes and block devices add it. Each member's CRC-32 and length are compared.
 */
export const decodeGzip: Decode = async function* (file, claim) {
  await claim(memoryBytes);
  const buffer = Buffer.allocUnsafeSlow(inputPieceBytes);
  let members = 0;
  for (let at = 0; ; ) {
    at = yield* decodeMember(file, at, buffer);
    members += 1;
    if (at === file.sizeBytes || (yield* isPadding(file, at))) return { members: String(members) } satisfies CodecFacts;
    const next = file.read(at, 2);
    if (next[0] !== 0x1f || next[1] !== 0x8b) {
      const value = Buffer.from(next).toString('hex');
      refuse('compressed.trailing_data', `${file.sizeBytes - at} bytes follow the end of the gzip data at ${at}.`, { offset: at, value });
    }
  }
};

/** Returns where the member ends. */
async function* decodeMember(file: ByteReader, start: number, buffer: Uint8Array): AsyncGenerator<Piece, number, undefined> {
  const dataOffset = gzipDataOffset(file, start);
  let at = dataOffset;
  const input = {
    start: dataOffset,
    next(): Uint8Array | undefined {
      const bytes = file.read(at, buffer.length, buffer);
      at += bytes.length;
      return bytes.length === 0 ? undefined : bytes;
    },
  };
  const pieces = throughZlib(createInflateRaw({ chunkSize: pieceBytes }), input);
  let sum = 0;
  let sizeBytes = 0;
  for (;;) {
    const { done, value } = await pieces.next();
    if (done === true) return checkTrailer(file, dataOffset + value, sum, sizeBytes);
    sum = crc32(value.bytes, sum);
    sizeBytes += value.bytes.length;
    yield value;
  }
}

function checkTrailer(file: ByteReader, offset: number, sum: number, sizeBytes: number): number {
  const bytes = file.read(offset, trailerBytes);
  if (bytes.length < trailerBytes) {
    refuse('compressed.truncated', `The content ends after ${file.sizeBytes} bytes, before the check sum of its data.`, {
      offset: file.sizeBytes,
      value: `${bytes.length} of ${trailerBytes} bytes`,
    });
  }
  const trailer = new Fields(bytes, 'gzip trailer', offset);
  if (trailer.u32le(0) !== sum) {
    refuse('compressed.corrupt', `The data that end at ${offset} do not have the CRC-32 that gzip recorded.`, { offset, value: sum });
  }
  if (trailer.u32le(4) !== sizeBytes % 2 ** 32) {
    refuse('compressed.corrupt', `The data that end at ${offset} do not have the length that gzip recorded.`, { offset: offset + 4, value: sizeBytes });
  }
  return offset + trailerBytes;
}

/** Whether nothing but zeros follows. */
async function* isPadding(file: ByteReader, start: number): AsyncGenerator<Piece, boolean, undefined> {
  for (let at = start; at < file.sizeBytes; at += inputPieceBytes) {
    if (file.read(at, inputPieceBytes).some((byte) => byte !== 0)) return false;
    yield { bytes: new Uint8Array(0), inputBytes: at };
  }
  return true;
}
