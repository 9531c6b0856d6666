import type { Duplex } from 'node:stream';
import { refuse } from '../formats/refuse.ts';
import type { Piece } from './piece.ts';

/** A decompressing stream of `node:zlib`. */
export interface ZlibStream extends Duplex {
  /** How much of what was written it has consumed. */
  readonly bytesWritten: number;
}

/** Where the input comes from: the next bytes, which stay as they are until `next` is called again; undefined at the end. */
export interface ZlibInput {
  /** The place in the file of the first byte that `next` gave or will give. */
  readonly start: number;
  next(): Uint8Array | undefined;
}

/** What zlib and zstd say of data that is not theirs. Whatever else they say is no property of the data. */
const corruptCode = /^Z_(?:DATA_ERROR|NEED_DICT)$|^ZSTD_error_(?!memory_allocation|GENERIC|stage_wrong|init_missing)/;

/**
 * Yields what `stream` makes of the input until it says that it has come to its end, which may be before that of the input;
 * returns how much of the input it took. Input is fed in step with the output, so neither piles up. Refuses by
 * `compressed.corrupt` and `compressed.truncated`.
 */
export async function* throughZlib(stream: ZlibStream, input: ZlibInput): AsyncGenerator<Piece, number, undefined> {
  feed(stream, input);
  let decodedBytes = 0;
  try {
    for await (const bytes of stream as AsyncIterable<Uint8Array>) {
      decodedBytes += bytes.length;
      yield { bytes, inputBytes: input.start + stream.bytesWritten };
    }
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
    const offset = input.start + stream.bytesWritten;
    if (code === 'Z_BUF_ERROR') {
      const value = `${decodedBytes} bytes decoded`;
      refuse('compressed.truncated', `The compressed content ends after ${offset} bytes, in the middle of its data.`, { offset, value });
    }
    if (corruptCode.test(code)) refuse('compressed.corrupt', `The compressed content cannot be decoded beyond ${offset} bytes.`, { offset, value: code });
    throw error;
  }
  return stream.bytesWritten;
}

function feed(stream: ZlibStream, input: ZlibInput): void {
  const step = (): void => {
    let bytes: Uint8Array | undefined;
    try {
      bytes = input.next();
    } catch (error) {
      stream.destroy(error as Error);
      return;
    }
    if (bytes === undefined) stream.end();
    else stream.write(bytes, (error) => { if (!error) step(); });
  };
  step();
}
