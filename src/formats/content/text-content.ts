import { latin1 } from '../reading/fields.ts';
import { beginsWith } from '../reading/signature.ts';

/** At most so many characters are looked at to name the kind of a text. */
const namingLimit = 2048;
/** Text in an encoding other than UTF-8 is taken for text only if so much of it is ASCII. */
const asciiShare = 0.8;

/**
 * The kind of text that the content is, such as `HTML page`, or undefined if it is none. A text is only what is
 * printable from the first to the last byte of the head, so that a disk with text at its beginning is never mistaken;
 * what begins with the tag of an HTML or XML document needs no more proof.
 */
export function textKind(head: Uint8Array): string | undefined {
  if (head.length === 0) return undefined;
  const start = latin1(head.subarray(0, namingLimit)).replace(/^\xef\xbb\xbf/, '').trimStart().toLowerCase();
  if (/^(?:<!--[^]{0,1000}?-->\s*)?(?:<!doctype html|<html[\s>])/.test(start)) return 'HTML page';
  if (start.startsWith('<?xml ')) return start.includes('<svg') ? 'SVG picture' : xmlKind(start);
  if (!isText(head)) return undefined;
  return nameText(start);
}

function xmlKind(start: string): string {
  if (/<html[\s>]/.test(start)) return 'HTML page';
  return start.includes('<error>') && start.includes('<code>') ? 'XML error message of an object store' : 'XML document';
}

function nameText(start: string): string {
  if (/<(?:html|head|body|title)[\s>]/.test(start)) return 'HTML page';
  if (/^<[a-z!?]/.test(start)) return 'XML document';
  if (/^(?:\{\s*["}]|\[\s*[[{"\d\]])/.test(start)) return 'JSON text';
  if (start.startsWith('version https://git-lfs')) return 'Git LFS pointer, not the file it stands for';
  if (start.startsWith('-----begin ')) return 'PEM or PGP text';
  if (start.startsWith('#!')) return 'script';
  return 'plain text';
}

function isText(head: Uint8Array): boolean {
  if (beginsWith(head, '\xff\xfe', '\xfe\xff')) {
    const name = beginsWith(head, '\xff\xfe') ? 'utf-16le' : 'utf-16be';
    return head.length > 2 && isPrintable(new TextDecoder(name).decode(head.subarray(0, head.length & ~1), { stream: true }));
  }
  // The cheap test first: nearly every disk has a zero in its first bytes.
  if (head.subarray(0, 64).includes(0)) return false;
  let ascii = 0;
  for (let index = 0; index < head.length; index += 1) {
    const byte = head[index] ?? 0;
    if (byte < 0x20 ? !isTextControl(byte) : byte === 0x7f) return false;
    if (byte < 0x80) ascii += 1;
  }
  return ascii / head.length >= asciiShare || isUtf8(head);
}

function isTextControl(code: number): boolean {
  return (code >= 0x09 && code <= 0x0d) || code === 0x1b;
}

function isPrintable(text: string): boolean {
  return !/[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd\uffff]/.test(text);
}

/** Whether it is UTF-8; a character that the head's end cuts in two is no fault. */
function isUtf8(head: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(head, { stream: true });
    return true;
  } catch {
    return false;
  }
}
