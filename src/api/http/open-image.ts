import type { Readable } from 'node:stream';

import type { Image } from '../../gen/lehr/v1/image.ts';
import type { Call } from '../call.ts';

/**
 * The piece in which a download is best read: at 64 KiB, the default of file streams, most of the time goes into the
 * turns between pieces.
 */
export const downloadPieceBytes = 512 * 1024;

/** An image whose bytes can be read. Either `read` or `close` is called, and once. */
export interface OpenedImage {
  readonly image: Image;
  /**
   * The bytes from `start` up to, but not with, `end`, in pieces of about `downloadPieceBytes` (the stream's
   * `highWaterMark`). The stream is destroyed when the reader leaves.
   */
  readonly read: (start: number, end: number) => Readable;
  /** Lets go of an image whose bytes are not wanted after all. */
  readonly close: () => Promise<void>;
}

/** Finds an image of the caller's; throws `ApiError` with NOT_FOUND where there is none. */
export type OpenImage = (id: string, call: Call) => Promise<OpenedImage>;
