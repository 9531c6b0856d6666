import type { FileSpace } from './file-space.ts';
import { refuse } from './refuse.ts';
import type { RefusalDetails } from './refuse.ts';

/** Claims a part of the file, where somebody keeps account; `seen` is what gave it out. */
export function claimSectors(space: FileSpace | undefined, offset: number, lengthBytes: number, seen: RefusalDetails): void {
  if (space === undefined || space.claim(offset, lengthBytes)) return;
  refuse('vmdk.overlap', `The ${lengthBytes} bytes at ${offset} are in use for something else as well.`, seen);
}
