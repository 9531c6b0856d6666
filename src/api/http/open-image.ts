import type { Readable } from 'node:stream';

import type { Image } from '../../gen/lehr/v1/image.ts';
import type { Call } from '../call.ts';

/** An image whose bytes can be read. Either `read` or `close` is called, and once. */
export interface OpenedImage {
  readonly image: Image;
  /**
   * The bytes from `start` up to, but not with, `end`; destroyed when the reader leaves. Best in pieces of 256 KiB or more
   * (`highWaterMark`): at the 64 KiB of Node's file streams most of the time goes into the turns between pieces.
   */
  readonly read: (start: number, end: number) => Readable;
  /** Lets go of an image whose bytes are not wanted after all. */
  readonly close: () => Promise<void>;
}

/** Finds an image of the caller's; throws `ApiError` with NOT_FOUND where there is none. */
export type OpenImage = (id: string, call: Call) => Promise<OpenedImage>;
