import type { ByteReader } from '../reading/byte-reader.ts';

/** Tables are read in pieces of so many bytes; one of extended L2 entries makes at most 32,768 extents. */
const pieceBytes = 16 * 1024;

/** A piece of a table, which begins at `offset` of the file. Valid until the next one is asked for. */
export interface Qcow2TablePiece {
  readonly offset: number;
  readonly view: DataView;
}

/** The `lengthBytes` from `offset` on, piece by piece; less where the file ends. */
export function* qcow2TablePieces(file: ByteReader, offset: number, lengthBytes: number): Generator<Qcow2TablePiece, void, undefined> {
  const end = Math.min(offset + lengthBytes, file.sizeBytes);
  const buffer = new Uint8Array(Math.max(0, Math.min(pieceBytes, end - offset)));
  for (let at = offset; at < end; at += pieceBytes) {
    const bytes = file.read(at, Math.min(pieceBytes, end - at), buffer);
    yield { offset: at, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  }
}

/** Bits 9 to 55 of an entry, given by its halves: an offset in the file, exact since it is a multiple of 512. */
export function qcow2EntryOffset(high: number, low: number): number {
  return (high & 0x00ff_ffff) * 2 ** 32 + ((low & 0xffff_fe00) >>> 0);
}
