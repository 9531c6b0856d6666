import type { ByteReader } from '../../formats/reading/byte-reader.ts';
import { pageStates, rangePageBytes, rangePagesKept } from './ranged-messages.ts';
import type { RangedMessage, RangedThreadData } from './ranged-messages.ts';

/** More pages would be needed than may be asked for. */
export class PageLimitError extends Error {}

/** Bytes that are elsewhere, as a file: the thread that reads sleeps while the main thread fetches the page that it wants. */
export class PagedFile implements ByteReader {
  readonly sizeBytes: number;
  readonly #state: Int32Array;
  readonly #shared: Uint8Array;
  readonly #send: (message: RangedMessage) => void;
  readonly #pages = new Map<number, Uint8Array>();
  #pagesLeft: number;

  constructor({ control, page, sizeBytes, pageLimit }: RangedThreadData, send: (message: RangedMessage) => void) {
    this.sizeBytes = sizeBytes;
    this.#state = new Int32Array(control);
    this.#shared = new Uint8Array(page);
    this.#send = send;
    this.#pagesLeft = pageLimit;
  }

  /** Whether more was wanted than may be read. */
  get isExhausted(): boolean {
    return this.#pagesLeft < 0;
  }

  /** From now on no more is read than so. */
  limitTo(bytes: number): void {
    this.#pagesLeft = Math.min(this.#pagesLeft, Math.ceil(bytes / rangePageBytes));
  }

  /** Throws PageLimitError where the bound is reached. */
  read(offset: number, length: number): Uint8Array {
    const bytes = Buffer.alloc(Math.min(length, Math.max(0, this.sizeBytes - offset)));
    for (let done = 0; done < bytes.length; ) {
      const index = Math.floor((offset + done) / rangePageBytes);
      const part = this.#pageAt(index).subarray(offset + done - index * rangePageBytes, offset + bytes.length - index * rangePageBytes);
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  #pageAt(index: number): Uint8Array {
    const known = this.#pages.get(index);
    if (known !== undefined) return known;
    this.#pagesLeft -= 1;
    if (this.isExhausted) throw new PageLimitError();
    Atomics.store(this.#state, 0, pageStates.wanted);
    const offset = index * rangePageBytes;
    this.#send({ kind: 'page', offset, lengthBytes: Math.min(rangePageBytes, this.sizeBytes - offset) });
    Atomics.wait(this.#state, 0, pageStates.wanted);
    // The main thread has the error, and ends this one.
    if (Atomics.load(this.#state, 0) === pageStates.failed) throw new Error('A page could not be had.');
    const bytes = this.#shared.slice(0, Atomics.load(this.#state, 1));
    this.#pages.set(index, bytes);
    const [oldest] = this.#pages.keys();
    if (this.#pages.size > rangePagesKept && oldest !== undefined) this.#pages.delete(oldest);
    return bytes;
  }
}
