import { latin1 } from '../reading/fields.ts';
import { hasAt } from '../reading/signature.ts';

/** A header, and the unit that contents are padded to. */
export const tarBlockBytes = 512;
/** Headers that say something of the next one: a pax header for it or for all, a GNU long name. */
const prefaces = 'xgL';
/** As many precede a first member at most. */
const prefaceLimit = 4;

/**
 * The name of a tar archive's first member, undefined where the content is no tar. Judged by the header's checksum
 * (POSIX pax, "ustar Interchange Format"), since the oldest archives have no magic.
 */
export function firstTarMember(head: Uint8Array): string | undefined {
  let at = 0;
  for (let seen = 0; seen <= prefaceLimit; seen += 1) {
    const header = head.subarray(at, at + tarBlockBytes);
    if (!isTarHeader(header)) return undefined;
    const type = String.fromCharCode(header[156] ?? 0);
    if (type === '\0' || !prefaces.includes(type)) return latin1(header.subarray(0, 100)).split('\0', 1)[0];
    const sizeBytes = Number.parseInt(latin1(header.subarray(124, 136)), 8);
    at += tarBlockBytes * (1 + Math.ceil((Number.isNaN(sizeBytes) ? 0 : sizeBytes) / tarBlockBytes));
  }
  return undefined;
}

/** Whether the first header has the magic of POSIX or of GNU tar, right or not: other programs may take it for an archive by that alone. */
export function hasTarMagic(head: Uint8Array): boolean {
  return hasAt(head, 257, 'ustar');
}

/** Whether these 512 bytes are a header that has its own checksum right. */
export function isTarHeader(header: Uint8Array): boolean {
  if (header.length < tarBlockBytes || header[0] === 0) return false;
  const stated = /^ *([0-7]{1,7})[\0 ]/.exec(latin1(header.subarray(148, 156)))?.[1];
  if (stated === undefined) return false;
  // The checksum field itself counts as spaces.
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  return sum === Number.parseInt(stated, 8);
}
