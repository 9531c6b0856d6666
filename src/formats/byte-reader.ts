/**
 * Synchronous random access to stored bytes. Runs in a pool thread, never on the main thread, because it blocks.
 *
 * `read` answers the bytes at `offset`, at most `length` of them; fewer only where the content ends. It throws only for
 * errors of the system. `sizeBytes` does not change while the reader is in use.
 */
export interface ByteReader {
  readonly sizeBytes: number;
  read(offset: number, length: number): Uint8Array;
}
