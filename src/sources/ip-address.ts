import { isIPv4, isIPv6 } from 'node:net';

/** An IPv4 or IPv6 address as its 4 or 16 bytes. */
export type AddressBytes = readonly number[];

/** The addresses that begin with the first `prefixBits` bits of `network`, whose other bits are zero. */
export interface AddressRange {
  readonly network: AddressBytes;
  readonly prefixBits: number;
}

/** The bytes of an address in the usual notation, without brackets; a zone is left out. Undefined for anything else. */
export function addressBytes(text: string): AddressBytes | undefined {
  if (isIPv4(text)) return text.split('.').map(Number);
  return isIPv6(text) ? ipv6Bytes(text.replace(/%.*$/, '')) : undefined;
}

/** The range that `10.0.0.0/8` or `fd00::/8` names; undefined where it is malformed or has bits behind its prefix. */
export function addressRange(text: string): AddressRange | undefined {
  const [, address = '', bits = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const bytes = addressBytes(address);
  const prefixBits = Number(bits);
  if (bytes === undefined || address.includes('%') || prefixBits > bytes.length * 8) return undefined;
  const network = networkOf(bytes, prefixBits);
  return network.every((byte, index) => byte === bytes[index]) ? { network, prefixBits } : undefined;
}

/** The range of a text that is known to be one. */
export function knownRange(text: string): AddressRange {
  const range = addressRange(text);
  if (range === undefined) throw new Error(`${text} is no range of addresses.`);
  return range;
}

/** Whether an address lies in a range; never where they are of different families. */
export function isWithin(address: AddressBytes, { network, prefixBits }: AddressRange): boolean {
  return address.length === network.length && networkOf(address, prefixBits).every((byte, index) => byte === network[index]);
}

const mapped = knownRange('::ffff:0:0/96');

/** The IPv4 address that a mapped one (`::ffff:127.0.0.1`, RFC 4291) stands for to the kernel; any other address as it is. */
export function unmapped(address: AddressBytes): AddressBytes {
  return isWithin(address, mapped) ? address.slice(12) : address;
}

function networkOf(bytes: AddressBytes, prefixBits: number): AddressBytes {
  return bytes.map((byte, index) => byte & (0xff00 >> Math.min(Math.max(prefixBits - index * 8, 0), 8)));
}

function ipv6Bytes(address: string): AddressBytes {
  const [left = '', right] = address.split('::');
  const head = groupBytes(left);
  if (right === undefined) return head;
  const tail = groupBytes(right);
  return [...head, ...new Array<number>(16 - head.length - tail.length).fill(0), ...tail];
}

function groupBytes(text: string): number[] {
  return text === '' ? [] : text.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
