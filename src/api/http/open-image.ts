import type { Image } from '../../gen/lehr/v1/image.ts';
import type { Call } from '../call.ts';

/** An image whose bytes can be read. */
export interface OpenedImage {
  readonly image: Image;
  /** Reads from `position` into `target` and resolves with the number of bytes; 0: at the end. */
  readonly read: (target: Uint8Array, position: number) => Promise<number>;
  /** Called once, when nothing more is read. */
  readonly close: () => Promise<void>;
}

/** Finds an image of the caller's; throws `ApiError` with NOT_FOUND where there is none. */
export type OpenImage = (id: string, call: Call) => Promise<OpenedImage>;
