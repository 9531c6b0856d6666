import { latin1 } from './fields.ts';

const memberBytes = 512;

/**
 * The name of a tar archive's first member, undefined where the content is no tar. Judged by the header's checksum
 * (POSIX pax, "ustar Interchange Format"), since the oldest archives have no magic.
 */
export function firstTarMember(head: Uint8Array): string | undefined {
  const header = head.subarray(0, memberBytes);
  if (header.length < memberBytes || header[0] === 0) return undefined;
  const stated = /^ *([0-7]{1,7})[\0 ]/.exec(latin1(header.subarray(148, 156)))?.[1];
  if (stated === undefined) return undefined;
  // The checksum field itself counts as spaces.
  const sum = header.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
  return sum === Number.parseInt(stated, 8) ? latin1(header.subarray(0, 100)).split('\0', 1)[0] : undefined;
}
