import { Fields } from '../reading/fields.ts';
import { beginsWith, hasAt } from '../reading/signature.ts';
import { firstTarMember, hasTarMagic } from './tar-member.ts';
import type { Wrapper } from '../wrapper.ts';

/**
 * Content that no machine can boot, told by its magic. `isCompressed`: what is inside may well be a disk. `wrapper`: it is
 * unwrapped before it is judged, so it is refused only where that has been done already.
 */
export interface ForeignContent {
  readonly name: string;
  readonly isCompressed: boolean;
  readonly wrapper?: Wrapper;
  readonly matches: (head: Uint8Array) => boolean;
}

const begins = (name: string, ...magics: readonly string[]): ForeignContent => ({
  name,
  isCompressed: false,
  matches: (head) => beginsWith(head, ...magics),
});

const compressed = (name: string, ...magics: readonly string[]): ForeignContent => ({ ...begins(`${name}-compressed data`, ...magics), isCompressed: true });

const when = (name: string, matches: (head: Uint8Array) => boolean): ForeignContent => ({ name, isCompressed: false, matches });

/**
 * What people upload or download by mistake. A magic is listed only if no boot code and no partition table begins so;
 * two-byte ones are confirmed by a second field. Text is judged apart, in `text-content.ts`.
 */
export const foreignContents: readonly ForeignContent[] = [
  { ...compressed('gzip', '\x1f\x8b\x08'), wrapper: 'gzip' },
  { ...compressed('xz', '\xfd7zXZ\0'), wrapper: 'xz' },
  { ...when('zstd-compressed data', isZstd), isCompressed: true, wrapper: 'zstd' },
  { ...when('bzip2-compressed data', isBzip2), isCompressed: true, wrapper: 'bzip2' },
  compressed('lz4', '\x04\x22\x4d\x18'),
  compressed('lzip', 'LZIP\x01'),
  compressed('lzop', '\x89LZO\0\r\n\x1a\n'),
  { ...when('lzma-compressed data', (head) => beginsWith(head, '\x5d\0\0') && hasAt(head, 5, '\xff\xff\xff\xff\xff\xff\xff\xff')), isCompressed: true },
  compressed('compress (.Z)', '\x1f\x9d\x90'),

  { ...when('OVA archive', (head) => firstTarMember(head)?.endsWith('.ovf') === true), wrapper: 'ova' },
  when('tar archive', (head) => firstTarMember(head)?.endsWith('.ovf') === false),
  when('tar archive with a damaged header', (head) => hasTarMagic(head) && firstTarMember(head) === undefined),
  begins('ZIP archive', 'PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'),
  begins('7-Zip archive', '7z\xbc\xaf\x27\x1c'),
  begins('RAR archive', 'Rar!\x1a\x07'),
  begins('cpio archive', '070701', '070702', '070707'),
  begins('ar archive or Debian package', '!<arch>\n'),
  begins('RPM package', '\xed\xab\xee\xdb'),
  begins('cabinet archive', 'MSCF\0\0\0\0'),
  begins('Windows image (WIM)', 'MSWIM\0\0\0'),
  begins('xar archive', 'xar!\0'),
  begins('SquashFS archive', 'hsqs', 'sqsh'),
  begins('cramfs archive', '\x45\x3d\xcd\x28'),

  begins('JPEG picture', '\xff\xd8\xff'),
  begins('PNG picture', '\x89PNG\r\n\x1a\n'),
  begins('GIF picture', 'GIF87a', 'GIF89a'),
  begins('TIFF picture', 'II*\0', 'MM\0*'),
  begins('Photoshop picture', '8BPS\0\x01'),
  when('WebP picture', (head) => beginsWith(head, 'RIFF') && hasAt(head, 8, 'WEBP')),
  when('BMP picture', isBitmap),

  begins('PDF document', '%PDF-'),
  begins('PostScript document', '%!PS'),
  begins('RTF document', '{\\rtf'),
  begins('Microsoft Office document or installer', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
  begins('SQLite database', 'SQLite format 3\0'),

  begins('ELF program', '\x7fELF'),
  when('Windows or EFI program', isPortableExecutable),
  begins('Mach-O program', '\xfe\xed\xfa\xce', '\xfe\xed\xfa\xcf', '\xce\xfa\xed\xfe', '\xcf\xfa\xed\xfe'),
  begins('Java class or Mach-O program', '\xca\xfe\xba\xbe'),
  begins('WebAssembly module', '\0asm'),

  when('MP4 video or HEIF picture', (head) => hasAt(head, 4, 'ftyp')),
  begins('Matroska or WebM video', '\x1a\x45\xdf\xa3'),
  when('AVI video or WAV sound', (head) => beginsWith(head, 'RIFF') && (hasAt(head, 8, 'AVI ') || hasAt(head, 8, 'WAVE'))),
  begins('Ogg sound or video', 'OggS\0'),
  begins('FLAC sound', 'fLaC\0'),
  begins('MP3 sound', 'ID3\x02', 'ID3\x03', 'ID3\x04'),
  begins('MPEG video', '\0\0\x01\xba', '\0\0\x01\xb3'),
  begins('Windows Media file', '\x30\x26\xb2\x75\x8e\x66\xcf\x11'),
  begins('Flash video', 'FLV\x01'),
];

/** A frame, or one behind the skippable frame that pzstd begins with (RFC 8878, 3.1). */
function isZstd(head: Uint8Array): boolean {
  const magic = '\x28\xb5\x2f\xfd';
  if (beginsWith(head, magic)) return true;
  if (!hasAt(head, 1, '\x2a\x4d\x18') || ((head[0] ?? 0) & 0xf0) !== 0x50 || head.length < 8) return false;
  return hasAt(head, 8 + new Fields(head, 'skippable frame').u32le(4), magic);
}

function isBzip2(head: Uint8Array): boolean {
  return beginsWith(head, 'BZh') && (hasAt(head, 4, '1AY&SY') || hasAt(head, 4, '\x17\x72\x45\x38\x50\x90'));
}

/** `MZ` alone is also plausible boot code, and older Linux kernels carry it: the header it points to confirms it. */
function isPortableExecutable(head: Uint8Array): boolean {
  if (!beginsWith(head, 'MZ') || head.length < 64) return false;
  return hasAt(head, new Fields(head, 'program header').u32le(60), 'PE\0\0');
}

/** `BM` is confirmed by the reserved fields and the size of the second header. */
function isBitmap(head: Uint8Array): boolean {
  if (!beginsWith(head, 'BM') || !hasAt(head, 6, '\0\0\0\0') || head.length < 18) return false;
  return [12, 40, 52, 56, 64, 108, 124].includes(new Fields(head, 'picture header').u32le(14));
}
