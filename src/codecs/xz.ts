import xz from 'xz-decompress';
import type { ByteReader } from '../formats/reading/byte-reader.ts';
import { refuse } from '../formats/refuse.ts';
import { decoderMemoryLimitBytes, pieceBytes } from './piece.ts';
import type { CodecFacts, Decode } from './piece.ts';
import { xzDictionaryBytes } from './xz-header.ts';

/** The decoder (xz-embedded, compiled to WebAssembly) takes dictionaries up to 64 MiB, which is what `xz -9` uses. */
const dictionaryLimitBytes = 64 * 1024 * 1024;
/** More than half of what a thread has: the package decodes one content at a time, and a second must not wait inside it. */
const memoryBytes = decoderMemoryLimitBytes;
/** What the decoder has beside the dictionary. */
const overheadBytes = 8 * 1024 * 1024;
const inputPieceBytes = 64 * 1024;
/** What the decoder's error codes stand for (xz-embedded, `enum xz_ret`). */
const codes = { unsupportedCheck: 2, memoryLimit: 4, format: 5, options: 6, data: 7, buffer: 8 } as const;
const checkNames: Readonly<Record<number, string>> = { 0: 'none', 1: 'crc32', 4: 'crc64' };

/**
 * xz (the .xz file format 1.2). Several streams, with padding of zeros between and behind, are one content. CRC-32 or CRC-64
 * of each block and of the index are verified; the fact `checksum` says which, since a maker may leave it out.
 */
export const decodeXz: Decode = async function* (file, claim) {
  const dictionaryBytes = xzDictionaryBytes(file);
  if (dictionaryBytes !== undefined && dictionaryBytes > dictionaryLimitBytes) tooLarge(dictionaryBytes, 12);
  await claim(memoryBytes);
  dropGrownDecoder();
  const input = inputOf(file);
  const reader = new xz.XzReadableStream(input.stream).getReader();
  let decodedBytes = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => explain(error, input.offset(), file.sizeBytes, decodedBytes));
      if (done) break;
      decodedBytes += value.length;
      for (let at = 0; at < value.length; at += pieceBytes) {
        yield { bytes: value.subarray(at, at + pieceBytes), inputBytes: input.offset() };
      }
    }
  } finally {
    // Nobody else could decode otherwise: the package hands its decoder on only when it is let go of.
    await reader.cancel().catch(() => undefined);
  }
  return { checksum: checkNames[(file.read(7, 1)[0] ?? 0) & 0xf] ?? 'unknown' } satisfies CodecFacts;
};

/** How the package keeps its one WebAssembly instance; it has no other way to let go of it. */
interface DecoderHolder {
  _moduleInstance?: { readonly exports: { readonly memory: { readonly buffer: ArrayBuffer } } };
  _moduleInstancePromise?: Promise<void>;
}

/**
 * The memory of a WebAssembly instance never shrinks, and contents with one dictionary after another break it into pieces until
 * it has several times what one of them needs: from then on a new instance is used.
 */
function dropGrownDecoder(): void {
  const holder = xz.XzReadableStream as DecoderHolder;
  const sizeBytes = holder._moduleInstance?.exports.memory.buffer.byteLength ?? 0;
  if (sizeBytes <= dictionaryLimitBytes + overheadBytes) return;
  holder._moduleInstance = undefined;
  holder._moduleInstancePromise = undefined;
}

function inputOf(file: ByteReader): { readonly stream: ReadableStream<Uint8Array>; offset(): number } {
  let at = 0;
  const stream = new ReadableStream<Uint8Array>({
    pull(controller) {
      const bytes = Buffer.from(file.read(at, inputPieceBytes));
      at += bytes.length;
      if (bytes.length > 0) controller.enqueue(bytes);
      else controller.close();
    },
  }, { highWaterMark: 0 });
  return { stream, offset: () => at };
}

function explain(error: unknown, offset: number, sizeBytes: number, decodedBytes: number): never {
  const code = Number(/failed with error code (\d+)$/.exec(error instanceof Error ? error.message : '')?.[1]);
  switch (code) {
    case codes.memoryLimit:
      return tooLarge(undefined, offset);
    case codes.unsupportedCheck:
    case codes.options:
      return refuse('compressed.unsupported', `The xz data before ${offset} use a filter or a check sum that is not decoded here.`, { offset, value: code });
    case codes.format:
      return refuse('compressed.trailing_data', `Something else follows the end of the xz data, before ${offset}.`, { offset, value: code });
    case codes.data:
      return refuse('compressed.corrupt', `The xz data cannot be decoded beyond ${offset} bytes.`, { offset, value: code });
    case codes.buffer:
      return refuse('compressed.truncated', `The content ends after ${sizeBytes} bytes, in the middle of its xz data.`, {
        offset: sizeBytes,
        value: `${decodedBytes} bytes decoded`,
      });
    default:
      throw error;
  }
}

function tooLarge(dictionaryBytes: number | undefined, offset: number): never {
  const found = dictionaryBytes === undefined ? 'a dictionary' : `a dictionary of ${dictionaryBytes} bytes,`;
  return refuse('compressed.memory', `The xz data need ${found} larger than the ${dictionaryLimitBytes} bytes allowed.`, {
    offset,
    limit: dictionaryLimitBytes,
    value: dictionaryBytes ?? 'unknown',
  });
}
