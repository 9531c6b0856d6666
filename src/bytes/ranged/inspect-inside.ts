import { decoders } from '../../codecs/decode.ts';
import { headBytes, inspectUnwrappedHead } from '../../formats/inspect-head.ts';
import type { ByteReader } from '../../formats/reading/byte-reader.ts';
import { ImageRefusedError } from '../../formats/refuse.ts';
import type { StreamCodec } from '../../formats/wrapper.ts';
import type { DiskFormat } from '../../gen/lehr/v1/disk_format.ts';
import type { Failure } from '../../gen/lehr/v1/failure.ts';

/**
 * What speaks against the first bytes inside compressed content, or against how they are compressed: an import would refuse it for
 * the same. Undefined: nothing so far. No more is decoded than the head of an image, so that a decoder touches little memory.
 */
export async function inspectInside(file: ByteReader, codec: StreamCodec, declared: DiskFormat): Promise<Failure | undefined> {
  const head = Buffer.alloc(headBytes);
  let sizeBytes = 0;
  try {
    for await (const { bytes } of decoders[codec](file, () => Promise.resolve())) {
      const taken = bytes.subarray(0, headBytes - sizeBytes);
      head.set(taken, sizeBytes);
      sizeBytes += taken.length;
      if (sizeBytes === headBytes) break;
    }
  } catch (error) {
    if (error instanceof ImageRefusedError) return error.failure;
    throw error;
  }
  return inspectUnwrappedHead(head.subarray(0, sizeBytes), declared);
}
