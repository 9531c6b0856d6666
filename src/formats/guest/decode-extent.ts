import { inflateRawSync, inflateSync, zstdDecompressSync } from 'node:zlib';
import type { ByteReader } from '../reading/byte-reader.ts';
import type { Extent } from './extent.ts';
import { refuse } from '../refuse.ts';
import { zstdFrameBytes } from './zstd-frames.ts';

/** No format compresses larger pieces than so: qcow2 clusters end at 2 MiB, VMDK grains are usually 64 KiB. */
export const compressedPieceLimitBytes = 2 * 1024 * 1024;

type Compressed = Extract<Extent, { kind: 'compressed' }>;

/**
 * The guest's bytes of a compressed extent, exactly `lengthBytes` of them: what it decodes to beyond that belongs to no
 * guest (the disk ends inside its last cluster). Refuses by `compressed_data` what does not decode, or to less, or to more
 * than `compressedPieceLimitBytes`.
 */
export function decodeExtent(file: ByteReader, extent: Compressed): Uint8Array {
  const { offset, storedBytes, lengthBytes, codec } = extent;
  const bytes = file.read(offset, storedBytes);
  const decoded = decode(bytes, codec, lengthBytes);
  if (decoded !== undefined && decoded.length >= lengthBytes) return decoded.subarray(0, lengthBytes);
  const found = decoded === undefined ? `no ${codec} data` : `${decoded.length} bytes`;
  return refuse('compressed_data', `A compressed piece at ${offset} does not decode to the ${lengthBytes} bytes that it stands for.`, {
    offset, value: found,
  });
}

function decode(bytes: Uint8Array, codec: Compressed['codec'], lengthBytes: number): Uint8Array | undefined {
  const chunkSize = Math.max(1024, Math.min(lengthBytes, compressedPieceLimitBytes));
  const options = { maxOutputLength: compressedPieceLimitBytes, chunkSize };
  try {
    switch (codec) {
      case 'deflate':
        return inflateRawSync(bytes, options);
      case 'zlib':
        return inflateSync(bytes, options);
      case 'zstd':
        return decodeFrames(bytes, lengthBytes, options);
      default:
        return codec satisfies never;
    }
  } catch (error) {
    if (error instanceof Error && 'code' in error) return undefined;
    throw error;
  }
}

/** qemu reads as many frames as fill the cluster (block/qcow2-threads.c). */
function decodeFrames(bytes: Uint8Array, lengthBytes: number, options: { readonly maxOutputLength: number }): Uint8Array | undefined {
  const pieces: Uint8Array[] = [];
  let decodedBytes = 0;
  for (let at = 0; decodedBytes < lengthBytes; ) {
    const frameBytes = zstdFrameBytes(bytes.subarray(at));
    if (frameBytes === undefined) return undefined;
    const piece = zstdDecompressSync(bytes.subarray(at, at + frameBytes), options);
    pieces.push(piece);
    decodedBytes += piece.length;
    if (decodedBytes > compressedPieceLimitBytes) return undefined;
    at += frameBytes;
  }
  return pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
}
