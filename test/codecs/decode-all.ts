import { decoders } from '../../src/codecs/decode.ts';
import type { CodecFacts } from '../../src/codecs/piece.ts';
import { pieceBytes } from '../../src/codecs/piece.ts';
import { ImageRefusedError } from '../../src/formats/refuse.ts';
import type { StreamCodec } from '../../src/formats/wrapper.ts';
import { MemoryReader } from '../formats/build/memory-reader.ts';

/** What became of some compressed bytes. */
export type Outcome =
  | { readonly kind: 'decoded'; readonly bytes: Buffer; readonly facts: CodecFacts; readonly claims: readonly number[] }
  | { readonly kind: 'refused'; readonly check: string; readonly metadata: Readonly<Record<string, string>>; readonly message: string };

/** Decodes to the end, or to `stopBytes` of output; holds the decoder to its pieces and to progress that never goes back. */
export async function decodeAll(codec: StreamCodec, compressed: Uint8Array, stopBytes = Infinity): Promise<Outcome> {
  const claims: number[] = [];
  const pieces: Buffer[] = [];
  const decoder = decoders[codec](new MemoryReader(Buffer.from(compressed)), async (bytes) => void claims.push(bytes));
  let total = 0;
  let lastInput = 0;
  try {
    for (;;) {
      const { done, value } = await decoder.next();
      if (done === true) return { kind: 'decoded', bytes: Buffer.concat(pieces), facts: value, claims };
      if (value.bytes.length > pieceBytes) throw new Error(`A piece of ${value.bytes.length} bytes.`);
      if (value.inputBytes < lastInput || value.inputBytes > compressed.length) throw new Error(`At ${value.inputBytes} after ${lastInput}.`);
      lastInput = value.inputBytes;
      total += value.bytes.length;
      if (total > stopBytes) throw new Error(`More than ${stopBytes} bytes.`);
      pieces.push(Buffer.from(value.bytes));
    }
  } catch (error) {
    if (!(error instanceof ImageRefusedError)) throw error;
    const { metadata, message } = error.failure;
    return { kind: 'refused', check: metadata['check'] ?? '', metadata, message };
  } finally {
    await decoder.return({}).catch(() => undefined);
  }
}
