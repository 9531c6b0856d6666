import type { ByteReader } from '../reading/byte-reader.ts';
import { decodeExtent } from './decode-extent.ts';
import type { Extent } from './extent.ts';
import type { GuestDisk } from './guest-disk.ts';
import { refuse } from '../refuse.ts';

/** The unit of the guest's digest, and what its bytes come in. */
export const guestBlockBytes = 64 * 1024;

/** So much of the guest's disk is put together before it is given on. */
const windowBytes = 1024 * 1024;

const zeroBlock = Buffer.alloc(guestBlockBytes);

/**
 * Called for each block of the guest's disk that is not all zero, in order: its number, and its `guestBlockBytes` bytes, the
 * last block's padded with zeros. The memory is used again after the call.
 */
export type TakeBlock = (index: number, block: Uint8Array) => void;

/**
 * Reads the guest's disk through its extents, whatever the format; zeros cost nothing. Yields how far it is, in guest bytes,
 * at least once for each mebibyte that is read, so that whoever drives it can pause. Refuses the image by
 * `compressed_data`, and by `truncated` where the file ends inside an extent.
 */
export function* readGuestBlocks(file: ByteReader, disk: GuestDisk, take: TakeBlock): Generator<number, void, undefined> {
  const window = new GuestWindow(take);
  for (const extent of disk.walk()) {
    let rest = extent.lengthBytes;
    const decoded = extent.kind === 'compressed' ? decodeExtent(file, extent) : undefined;
    while (rest > 0) {
      const done = extent.lengthBytes - rest;
      switch (extent.kind) {
        case 'zero':
          rest -= window.skip(rest);
          break;
        case 'stored':
          rest -= fill(window, file, extent, done);
          break;
        case 'compressed':
          rest -= window.copy(decoded?.subarray(done) ?? zeroBlock);
          break;
        default:
          extent satisfies never;
      }
      if (window.isAtStart) yield window.position;
    }
    yield window.position;
  }
  window.finish();
  yield window.position;
}

function fill(window: GuestWindow, file: ByteReader, { offset, lengthBytes }: Extract<Extent, { kind: 'stored' }>, done: number): number {
  const place = window.room(lengthBytes - done);
  const bytes = file.read(offset + done, place.length, place);
  if (bytes.length < place.length) {
    refuse('truncated', `The file ends inside data that begins at ${offset}.`, { offset, value: bytes.length, structure: 'data' });
  }
  if (bytes.buffer !== place.buffer || bytes.byteOffset !== place.byteOffset) place.set(bytes);
  return window.filled(place.length);
}

/** A piece of the guest's disk that is being put together, aligned to its own size. */
class GuestWindow {
  position = 0;
  readonly #take: TakeBlock;
  readonly #bytes = Buffer.alloc(windowBytes);
  /** Whether bytes were put into the window; until then nothing in it counts. */
  #isUsed = false;

  constructor(take: TakeBlock) {
    this.#take = take;
  }

  get isAtStart(): boolean {
    return this.position % windowBytes === 0;
  }

  /** Counts zeros: all of them where the window holds nothing, otherwise what fits. */
  skip(lengthBytes: number): number {
    if (!this.#isUsed) {
      this.position += lengthBytes;
      return lengthBytes;
    }
    const place = this.room(lengthBytes);
    place.fill(0);
    return this.filled(place.length);
  }

  copy(bytes: Uint8Array): number {
    const place = this.room(bytes.length);
    place.set(bytes.subarray(0, place.length));
    return this.filled(place.length);
  }

  /** The part of the window that the next bytes belong into, `wantedBytes` at most. */
  room(wantedBytes: number): Uint8Array {
    const at = this.position % windowBytes;
    if (!this.#isUsed) this.#bytes.fill(0, 0, at);
    this.#isUsed = true;
    return this.#bytes.subarray(at, Math.min(windowBytes, at + wantedBytes));
  }

  /** So many bytes were put into `room`. */
  filled(lengthBytes: number): number {
    this.position += lengthBytes;
    if (this.isAtStart) this.#flush(windowBytes);
    return lengthBytes;
  }

  finish(): void {
    const at = this.position % windowBytes;
    if (!this.#isUsed) return;
    const end = Math.ceil(at / guestBlockBytes) * guestBlockBytes;
    this.#bytes.fill(0, at, end);
    this.#flush(end);
  }

  #flush(lengthBytes: number): void {
    const first = Math.floor((this.position - 1) / windowBytes) * (windowBytes / guestBlockBytes);
    for (let at = 0; at < lengthBytes; at += guestBlockBytes) {
      const block = this.#bytes.subarray(at, at + guestBlockBytes);
      if (!block.equals(zeroBlock)) this.#take(first + at / guestBlockBytes, block);
    }
    this.#isUsed = false;
  }
}
