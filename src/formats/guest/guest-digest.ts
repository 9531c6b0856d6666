import { createHash, hash } from 'node:crypto';

const entryBytes = 8 + 32;
/** Entries that are hashed at once: a call for each would cost as much as the block itself. */
const entriesPerUpdate = 256;

/**
 * The digest of a guest's disk: SHA-256 over, for each block that is not all zero, in order, its number as 8 bytes big-endian
 * and the SHA-256 of its bytes (`guestBlockBytes`). The same for every format of the same disk; the disk's size is no part
 * of it.
 */
export class GuestDigest {
  readonly #hash = createHash('sha256');
  readonly #entries = Buffer.alloc(entryBytes * entriesPerUpdate);
  #filledBytes = 0;
  #blocks = 0;

  /** How many blocks were taken. */
  get blocks(): number {
    return this.#blocks;
  }

  /** Takes a block that is not all zero; `index` grows from call to call. */
  take(index: number, block: Uint8Array): void {
    this.#entries.writeBigUInt64BE(BigInt(index), this.#filledBytes);
    hash('sha256', block, 'buffer').copy(this.#entries, this.#filledBytes + 8);
    this.#filledBytes += entryBytes;
    this.#blocks += 1;
    if (this.#filledBytes === this.#entries.length) this.#update();
  }

  /** "sha256:" and 64 lower-case hex digits. Nothing may be taken afterwards. */
  finish(): string {
    this.#update();
    return `sha256:${this.#hash.digest('hex')}`;
  }

  #update(): void {
    this.#hash.update(this.#entries.subarray(0, this.#filledBytes));
    this.#filledBytes = 0;
  }
}
