import { contentSizeBytes, dictionaryIdBytes, frameMagic, skippableMagic } from '../formats/guest/zstd-frames.ts';
import type { ByteReader } from '../formats/reading/byte-reader.ts';
import { Fields } from '../formats/reading/fields.ts';
import { refuse } from '../formats/refuse.ts';
import { decoderMemoryLimitBytes } from './piece.ts';

/** RFC 8878, 3.1.1.1. */
const longestHeaderBytes = 18;

/** A frame at a place of the file (RFC 8878, 3.1). */
export type ZstdFrame =
  | { readonly kind: 'skippable'; readonly endOffset: number }
  | { readonly kind: 'data'; readonly windowBytes: number; readonly firstBlockOffset: number; readonly checksumBytes: 0 | 4 };

/**
 * The frame at `offset`; undefined where something else is. Refuses a frame that needs more memory than
 * `decoderMemoryLimitBytes`, or a dictionary that only its maker has.
 */
export function zstdFrameAt(file: ByteReader, offset: number): ZstdFrame | undefined {
  const bytes = file.read(offset, longestHeaderBytes);
  if (bytes.length < 4) return undefined;
  // Where the file ends, zeros stand in for what is missing: a frame that short is found to be cut off by its blocks.
  const fields = new Fields(bytes.length < longestHeaderBytes ? Buffer.concat([bytes], longestHeaderBytes) : bytes, 'zstd frame', offset);
  const magic = fields.u32le(0);
  if (magic >>> 4 === skippableMagic >>> 4) return skippable(file, offset, fields.u32le(4));
  if (magic !== frameMagic) return undefined;
  const descriptor = fields.u8(4);
  const isSingleSegment = (descriptor & 0x20) !== 0;
  const idBytes = dictionaryIdBytes[descriptor & 3] ?? 0;
  const sizeFlag = descriptor >>> 6;
  const sizeBytes = sizeFlag === 0 && isSingleSegment ? 1 : (contentSizeBytes[sizeFlag] ?? 0);
  const sizeAt = 5 + (isSingleSegment ? 0 : 1) + idBytes;
  if (fields.slice(sizeAt - idBytes, idBytes).some((byte) => byte !== 0)) {
    refuse('compressed.unsupported', `The zstd frame at ${offset} needs a dictionary.`, { offset, value: 'dictionary' });
  }
  const windowBytes = isSingleSegment ? contentSize(fields, sizeAt, sizeBytes) : windowSize(fields.u8(5));
  if (windowBytes > decoderMemoryLimitBytes) {
    const message = `The zstd frame at ${offset} needs ${windowBytes} bytes of memory, more than the ${decoderMemoryLimitBytes} allowed.`;
    refuse('compressed.memory', message, { offset, value: windowBytes, limit: decoderMemoryLimitBytes });
  }
  return { kind: 'data', windowBytes, firstBlockOffset: offset + sizeAt + sizeBytes, checksumBytes: (descriptor & 4) !== 0 ? 4 : 0 };
}

function skippable(file: ByteReader, offset: number, contentBytes: number): ZstdFrame {
  const endOffset = offset + 8 + contentBytes;
  if (endOffset <= file.sizeBytes) return { kind: 'skippable', endOffset };
  const message = `The zstd frame at ${offset} reaches to ${endOffset}, but the content ends after ${file.sizeBytes} bytes.`;
  return refuse('compressed.truncated', message, { offset, value: endOffset });
}

/** RFC 8878, 3.1.1.1.2. */
function windowSize(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >>> 3));
  return base + (base / 8) * (descriptor & 7);
}

/** RFC 8878, 3.1.1.1.4. */
function contentSize(fields: Fields, at: number, sizeBytes: number): number {
  const bytes = fields.slice(at, sizeBytes);
  const value = bytes.reduceRight((sum, byte) => sum * 256 + byte, 0);
  return sizeBytes === 2 ? value + 256 : value;
}
