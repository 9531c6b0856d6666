import type { Writable } from 'node:stream';
import type { OpenedImage } from './open-image.ts';

/** A download is read and written in pieces of so many bytes. */
const pieceBytes = 1024 * 1024;

/**
 * Writes the bytes of an image from `start` up to, but not with, `end`: while one piece is written the next is read. The same
 * two pieces of memory all along, since new ones for each would have the garbage collector work as hard as the copying.
 * Resolves with false when the reader has left; rejects when the store fails or gives less than it promised.
 */
export async function sendPieces(target: Writable, { read }: OpenedImage, start: number, end: number): Promise<boolean> {
  const size = Math.min(pieceBytes, end - start);
  let [piece, other] = [Buffer.allocUnsafeSlow(size), Buffer.allocUnsafeSlow(size)];
  let writing = Promise.resolve(true);
  for (let position = start; position < end;) {
    const [reading, written] = await Promise.allSettled([read(piece.subarray(0, Math.min(size, end - position)), position), writing]);
    if (reading.status === 'rejected') throw reading.reason;
    if (written.status === 'rejected' || !written.value) return false;
    const count = reading.value;
    if (count === 0) throw new Error(`The store gave ${position - start} of ${end - start} bytes.`);
    writing = write(target, piece.subarray(0, count));
    position += count;
    [piece, other] = [other, piece];
  }
  return writing;
}

/** Resolves once the piece is with the system, and its memory free: whether it was taken. */
function write(target: Writable, piece: Uint8Array): Promise<boolean> {
  return new Promise((resolve) => {
    target.write(piece, (error) => { resolve(error === null || error === undefined); });
  });
}
