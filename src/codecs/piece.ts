import type { ByteReader } from '../formats/reading/byte-reader.ts';

/** A piece of decoded content. */
export interface Piece {
  /** Never more than `pieceBytes`; valid until the next piece is asked for, and perhaps empty. */
  readonly bytes: Uint8Array;
  /** How much of the compressed content has been read so far. */
  readonly inputBytes: number;
}

/** No piece is larger, so that nobody waits long for the next one. */
export const pieceBytes = 256 * 1024;

/** A few details worth keeping of how the content was compressed, in printable ASCII. */
export type CodecFacts = Readonly<Record<string, string>>;

/**
 * Lets a decoder have so much memory beside its pieces, in place of what it had before. May wait; a decoder that holds data
 * in its memory must not ask.
 */
export type ClaimMemory = (bytes: number) => Promise<void>;

/**
 * Decodes the whole of `file`, piece by piece in order, and returns the facts. What the format can prove of the data (check
 * sums, lengths, nothing but further members of the same kind behind the end) is proved before it returns; until then the
 * pieces are not to be trusted. Refuses by one of the checks `compressed.…`; an error of the reader passes through.
 */
export type Decode = (file: ByteReader, claim: ClaimMemory) => AsyncGenerator<Piece, CodecFacts, undefined>;

/** No decoder may take more memory than so for what it looks back at: zstd frames and xz blocks say how much they need. */
export const decoderMemoryLimitBytes = 128 * 1024 * 1024;
