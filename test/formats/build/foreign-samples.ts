import { deflateSync, gzipSync } from 'node:zlib';

import { changed, text, u32le } from './change.ts';
import type { Change } from './change.ts';

/** What is no disk image: what it is called, and an example of 1200 bytes where nothing else is said. */
export interface ForeignSample {
  readonly found: string;
  readonly build: () => Buffer;
}

const sizeBytes = 1200;
const filled = (...changes: readonly Change[]): Buffer => changed(Buffer.alloc(sizeBytes, 0x9c), ...changes);
const begins = (found: string, ...magics: readonly string[]): readonly ForeignSample[] =>
  magics.map((magic) => ({ found, build: () => filled(text(0, magic)) }));
const exactly = (found: string, content: string | Buffer): ForeignSample => ({ found, build: () => Buffer.from(content) });

/** A tar archive with one empty member, with the magic of ustar or, as before 1988, with none. */
export function tarOf(name: string, magic = 'ustar\x0000'): Buffer {
  const member = Buffer.alloc(512);
  member.write(name, 0);
  member.write('0000644\0', 100);
  member.write('00000000000\0', 124);
  member.write('        ', 148);
  member.write(magic, 257, 'latin1');
  const sum = member.reduce((total, byte) => total + byte, 0);
  member.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([member, Buffer.alloc(1024)]);
}

/** Compressed content, which may hold a disk. */
export const compressedSamples: readonly ForeignSample[] = [
  exactly('gzip-compressed data', gzipSync(Buffer.alloc(1024 * 1024))),
  ...begins('xz-compressed data', '\xfd7zXZ\0'),
  ...begins('zstd-compressed data', '\x28\xb5\x2f\xfd'),
  ...begins('bzip2-compressed data', 'BZh91AY&SY', 'BZh1\x17\x72\x45\x38\x50\x90'),
  ...begins('lz4-compressed data', '\x04\x22\x4d\x18'),
  ...begins('lzip-compressed data', 'LZIP\x01'),
  ...begins('lzop-compressed data', '\x89LZO\0\r\n\x1a\n'),
  ...begins('lzma-compressed data', '\x5d\0\0\x80\0\xff\xff\xff\xff\xff\xff\xff\xff'),
  ...begins('compress (.Z)-compressed data', '\x1f\x9d\x90'),
];

/** Content that no machine can boot. */
export const foreignSamples: readonly ForeignSample[] = [
  { found: 'tar archive', build: () => tarOf('disk.raw') },
  { found: 'tar archive', build: () => tarOf('old/disk.raw', '') },
  { found: 'OVA archive', build: () => tarOf('machine.ovf') },
  { found: 'tar archive with a damaged header', build: () => changed(tarOf('disk.raw'), text(0, 'D')) },
  { found: 'tar archive with a damaged header', build: () => changed(tarOf('disk.raw', 'ustar  \0'), text(148, 'no sum')) },
  { found: 'tar archive with a damaged header', build: () => changed(tarOf('machine.ovf'), text(0, '\0')) },
  { found: 'tar archive with a damaged header', build: () => Buffer.concat([changed(tarOf('pax'), text(148, '       0'), text(156, 'x')), Buffer.alloc(512 * 100)]) },
  ...begins('ZIP archive', 'PK\x03\x04', 'PK\x05\x06'),
  ...begins('7-Zip archive', '7z\xbc\xaf\x27\x1c'),
  ...begins('RAR archive', 'Rar!\x1a\x07\0', 'Rar!\x1a\x07\x01\0'),
  ...begins('cpio archive', '070701', '070707'),
  exactly('ar archive or Debian package', '!<arch>\ndebian-binary   1410122664  0     0     100644  4         `\n2.0\n'),
  ...begins('RPM package', '\xed\xab\xee\xdb\x03'),
  ...begins('cabinet archive', 'MSCF\0\0\0\0'),
  ...begins('Windows image (WIM)', 'MSWIM\0\0\0'),
  ...begins('xar archive', 'xar!\0\x1c'),
  ...begins('SquashFS archive', 'hsqs', 'sqsh'),
  ...begins('cramfs archive', '\x45\x3d\xcd\x28'),
  ...begins('JPEG picture', '\xff\xd8\xff\xe0\0\x10JFIF', '\xff\xd8\xff\xe1', '\xff\xd8\xff\xdb'),
  ...begins('PNG picture', '\x89PNG\r\n\x1a\n'),
  ...begins('GIF picture', 'GIF87a', 'GIF89a'),
  ...begins('TIFF picture', 'II*\0', 'MM\0*'),
  ...begins('Photoshop picture', '8BPS\0\x01'),
  { found: 'WebP picture', build: () => filled(text(0, 'RIFF'), text(8, 'WEBP')) },
  { found: 'BMP picture', build: () => filled(text(0, 'BM'), u32le(6, 0), u32le(14, 40)) },
  ...begins('PDF document', '%PDF-1.7'),
  ...begins('PostScript document', '%!PS-Adobe'),
  ...begins('RTF document', '{\\rtf1'),
  ...begins('Microsoft Office document or installer', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
  ...begins('SQLite database', 'SQLite format 3\0'),
  ...begins('ELF program', '\x7fELF\x02'),
  { found: 'Windows or EFI program', build: () => filled(text(0, 'MZ'), u32le(60, 128), text(128, 'PE\0\0')) },
  ...begins('Mach-O program', '\xfe\xed\xfa\xce', '\xcf\xfa\xed\xfe'),
  ...begins('Java class or Mach-O program', '\xca\xfe\xba\xbe'),
  ...begins('WebAssembly module', '\0asm\x01'),
  { found: 'MP4 video or HEIF picture', build: () => filled(text(0, '\0\0\0\x20ftypisom')) },
  ...begins('Matroska or WebM video', '\x1a\x45\xdf\xa3'),
  { found: 'AVI video or WAV sound', build: () => filled(text(0, 'RIFF'), text(8, 'AVI ')) },
  ...begins('Ogg sound or video', 'OggS\0'),
  ...begins('FLAC sound', 'fLaC\0'),
  ...begins('MP3 sound', 'ID3\x03', 'ID3\x04'),
  ...begins('MPEG video', '\0\0\x01\xba'),
  ...begins('Windows Media file', '\x30\x26\xb2\x75\x8e\x66\xcf\x11'),
  ...begins('Flash video', 'FLV\x01'),
];

/** Texts. */
export const textSamples: readonly ForeignSample[] = [
  exactly('HTML page', '<!DOCTYPE html>\n<html><body>Not Found</body></html>\n'),
  exactly('HTML page', '\ufeff\r\n  <HTML lang="en"><head></head></HTML>'),
  exactly('HTML page', '<!-- served by cache 7 -->\n<!doctype HTML>\n'),
  exactly('HTML page', '<head><title>403 Forbidden</title></head>'),
  exactly('HTML page', '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"></html>'),
  { found: 'HTML page', build: () => filled(text(0, '<html>')) },
  exactly('XML document', '<?xml version="1.0"?><domain type="kvm"/>'),
  exactly('XML document', '<domain type="kvm"></domain>'),
  exactly('XML error message of an object store', '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>'),
  exactly('SVG picture', '<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
  exactly('JSON text', '{"error": "not found"}'),
  exactly('JSON text', '[\n  {"name": "disk"}\n]'),
  exactly('Git LFS pointer, not the file it stands for', 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'),
  exactly('PEM or PGP text', '-----BEGIN CERTIFICATE-----\n'),
  exactly('script', '#!/bin/sh\necho hello\n'),
  exactly('plain text', 'Not Found'),
  exactly('plain text', 'Größe: 3 µm, 東京, 🙂\n'.repeat(7)),
  exactly('plain text', Buffer.from('D\xe9j\xe0 vu, in Latin-1, of which there was much before there was UTF-8.\n', 'latin1')),
  exactly('plain text', Buffer.from('\ufeffnotes of a Windows program', 'utf16le')),
  exactly('plain text', '0123456789abcdef'.repeat(32)),
];

/** Disk formats that are known and not accepted. */
export const unsupportedSamples: readonly ForeignSample[] = [
  exactly('VMDK descriptor without its data', '# Disk DescriptorFile\nversion=1\ncreateType="monolithicFlat"\nRW 1 FLAT "/etc/shadow" 0\n'),
  exactly('VMDK descriptor without its data', '\n# a comment\r\n  \nversion=3\r\n'),
  { found: 'VMDK descriptor without its data', build: () => filled(text(0, 'version=2\n')) },
  ...begins('VMDK of ESX (COWD)', 'COWD\x01\0\0\0'),
  ...begins('VMDK of vSphere (SESparse)', '\xbe\xba\xfe\xca\0\0\0\0\x01\0\0\0\x02\0\0\0'),
  ...begins('QED', 'QED\0'),
  ...begins('Parallels disk', 'WithoutFreeSpace', 'WithouFreSpacExt'),
  ...begins('Bochs disk', 'Bochs Virtual HD Image\0'),
  ...begins('compressed loop image (cloop)', '#!/bin/sh\n#V2.0 Format\nmodprobe cloop\n'),
  { found: 'Apple disk image (DMG)', build: () => Buffer.concat([deflateSync(Buffer.alloc(9999)), Buffer.from('koly\0\0\0\x04'), Buffer.alloc(504)]) },
  ...begins('Apple sparse image', 'sprs\0\0\0\x03', 'shdw'),
  ...begins('encrypted Apple disk image', 'encrcdsa'),
  ...begins('Expert Witness disk (EWF)', 'EVF\x09\x0d\x0a\xff\0', 'EVF2\x0d\x0a\x81\0'),
  ...begins('Advanced Forensic Format disk', 'AFF10\r\n\0'),
  ...begins('Android sparse image', '\x3a\xff\x26\xed'),
  ...begins('QEMU saved machine state', 'QEVM\0\0\0\x03', 'LibvirtQemudSave'),
  ...begins('partclone image', 'partclone-image'),
  ...begins('raw CD image with 2352-byte sectors', '\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0'),
];
