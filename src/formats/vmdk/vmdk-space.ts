import type { FileSpace } from '../guest/file-space.ts';
import { refuse } from '../refuse.ts';

/** What gives out a part of the file: where it stands, and the number there. */
export interface VmdkEntry {
  readonly offset: number;
  readonly value: number;
}

/** Claims a part of the file that `entry` gives out, where somebody keeps account. */
export function claimSectors(space: FileSpace | undefined, offset: number, lengthBytes: number, entry: VmdkEntry): void {
  if (space === undefined || space.claim(offset, lengthBytes)) return;
  refuse('vmdk.overlap', `The ${lengthBytes} bytes at ${offset} are in use for something else as well.`, { ...entry });
}
