import { decoders } from '../../codecs/decode.ts';
import type { ClaimMemory, Piece } from '../../codecs/piece.ts';
import type { ByteReader } from '../../formats/byte-reader.ts';
import type { Wrapper } from '../../formats/wrapper.ts';

/** The image inside a wrapper, piece by piece, and facts of how it was wrapped. Refuses as the decoders do. */
export async function* unwrap(
  wrapper: Wrapper,
  file: ByteReader,
  claim: ClaimMemory,
): AsyncGenerator<Piece, Readonly<Record<string, string>>, undefined> {
  if (wrapper === 'ova') throw new Error('not yet');
  return { codec: wrapper, ...(yield* decoders[wrapper](file, claim)) };
}
