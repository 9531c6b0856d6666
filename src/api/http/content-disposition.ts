import type { Image } from '../../gen/lehr/v1/image.ts';

/** Longer names are cut: file systems take 255 bytes. */
const maxNameLength = 120;

/**
 * A Content-Disposition that saves the image under its name with the ending of its format, or under its id. The plain
 * form holds ASCII that no shell, browser or file system minds; a name in other letters comes along by RFC 8187.
 */
export function contentDisposition({ id, name, format }: Image): string {
  const ending = format.startsWith('DISK_FORMAT_') ? format.slice('DISK_FORMAT_'.length).toLowerCase() : 'raw';
  const readable = withoutHazards(name);
  const plain = readable.replace(/[^\w.-]+/g, '_');
  const file = (stem: string): string => (stem.toLowerCase().endsWith(`.${ending}`) ? stem : `${stem}.${ending}`);
  const ascii = file(/[a-z\d]/i.test(plain) ? plain : id.replace(/[^\w.-]+/g, '_'));
  if (readable === '' || readable === plain) return `attachment; filename="${ascii}"`;
  return `attachment; filename="${ascii}"; filename*=UTF-8''${encoded(file(readable))}`;
}

/** Without control characters, separators and what Windows forbids, and without dots at the front, which would hide it. */
const withoutHazards = (name: string): string =>
  Array.from(name.toWellFormed().replace(/[\p{C}/\\:*?"<>|]+/gu, '_').replace(/^[.\s]+/, '').trim()).slice(0, maxNameLength).join('');

/** RFC 8187 attr-char; encodeURIComponent leaves four more alone. */
const encoded = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
