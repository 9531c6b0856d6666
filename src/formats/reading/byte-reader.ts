/**
 * Synchronous random access to stored bytes. Runs in a pool thread, never on the main thread, because it blocks.
 *
 * `read` answers the bytes at `offset`, at most `length` of them; fewer only where the content ends. They may be in `into`,
 * where that is given and long enough, and are then valid until it is used again. It throws only for errors of the system.
 * `sizeBytes` does not change while the reader is in use.
 */
export interface ByteReader {
  readonly sizeBytes: number;
  read(offset: number, length: number, into?: Uint8Array): Uint8Array;
}
