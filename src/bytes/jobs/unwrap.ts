import { readOva } from '../../archives/ova.ts';
import type { OvaDisk } from '../../archives/ova.ts';
import { decoders } from '../../codecs/decode.ts';
import { pieceBytes } from '../../codecs/piece.ts';
import type { ClaimMemory, Piece } from '../../codecs/piece.ts';
import type { ByteReader } from '../../formats/reading/byte-reader.ts';
import { partOf } from '../../formats/reading/part-of.ts';
import type { Wrapper } from '../../formats/wrapper.ts';

type Facts = Readonly<Record<string, string>>;

/** The image inside a wrapper, piece by piece, and facts of how it was wrapped. Refuses as decoders and archives do. */
export async function* unwrap(wrapper: Wrapper, file: ByteReader, claim: ClaimMemory): AsyncGenerator<Piece, Facts, undefined> {
  if (wrapper !== 'ova') return { codec: wrapper, ...(yield* decoders[wrapper](file, claim)) };
  const disk = yield* findDisk(file);
  const content = partOf(file, disk.offset, disk.sizeBytes);
  if (!disk.isGzip) {
    yield* copy(content);
    return { codec: 'none', ...disk.facts };
  }
  yield* decoders.gzip(content, claim);
  return { codec: 'gzip', ...disk.facts };
}

/** Empty pieces stand for the work that is done before the first byte. */
async function* findDisk(file: ByteReader): AsyncGenerator<Piece, OvaDisk, undefined> {
  const steps = readOva(file);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    yield { bytes: new Uint8Array(0), inputBytes: 0 };
  }
}

async function* copy(file: ByteReader): AsyncGenerator<Piece, void, undefined> {
  const buffer = Buffer.allocUnsafeSlow(pieceBytes);
  for (let at = 0; at < file.sizeBytes; ) {
    const bytes = file.read(at, pieceBytes, buffer);
    at += bytes.length;
    yield { bytes, inputBytes: at };
  }
}
