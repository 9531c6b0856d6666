import { bad } from './bad-image.ts';
import type { BadImage } from './bad-image.ts';
import { u16le, u32le, u8 } from './change.ts';
import { buildIso } from './iso.ts';

const primary = 32 * 1024;
/** Broken discs. */
export const badIso: readonly BadImage[] = [
  bad('iso.descriptor', 'IMAGE_CORRUPT')('no primary descriptor', () => buildIso(u8(primary, 2))),
  bad('iso.descriptor', 'IMAGE_CORRUPT')('blocks of 0 bytes', () => buildIso(u16le(primary + 128, 0))),
  bad('iso.truncated', 'IMAGE_CORRUPT')('a volume much larger than its file', () => buildIso(u32le(primary + 80, 400_000))),
];
