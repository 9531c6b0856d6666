import { isWithin, knownRange } from './ip-address.ts';
import type { AddressBytes } from './ip-address.ts';

/** A form of IPv6 address that carries an IPv4 address. */
interface Embedding {
  readonly range: ReturnType<typeof knownRange>;
  /** Which bytes the IPv4 address stands in. */
  readonly at: readonly number[];
  /** Whether its bits are inverted. */
  readonly inverted?: true;
  /** Whether the form leads to the IPv4 address, or beside it, over the Internet: then that address alone decides. */
  readonly decides: boolean;
}

const last = [12, 13, 14, 15];

const embeddings: readonly Embedding[] = [
  // IPv4-mapped; IPv4-compatible, which is no longer used (both RFC 4291); IPv4-translated (RFC 7915).
  { range: knownRange('::ffff:0:0/96'), at: last, decides: true },
  { range: knownRange('::/96'), at: last, decides: false },
  { range: knownRange('::ffff:0:0:0/96'), at: last, decides: false },
  // NAT64: the well-known prefix, and the local-use one (RFC 8215) cut at each length that fits into it (RFC 6052, 2.2).
  { range: knownRange('64:ff9b::/96'), at: last, decides: true },
  ...[[6, 7, 9, 10], [7, 9, 10, 11], [9, 10, 11, 12], last].map((at) => ({ range: knownRange('64:ff9b:1::/48'), at, decides: false })),
  // 6to4 (RFC 3056).
  { range: knownRange('2002::/16'), at: [2, 3, 4, 5], decides: true },
  // Teredo: the server, and the client with its bits inverted (RFC 4380, 4).
  { range: knownRange('2001::/32'), at: [4, 5, 6, 7], decides: true },
  { range: knownRange('2001::/32'), at: last, inverted: true, decides: true },
];

/** What an IPv6 address carries. */
export interface Embedded {
  readonly addresses: readonly AddressBytes[];
  /** Whether they decide by themselves where the address leads. */
  readonly decide: boolean;
}

/** The IPv4 addresses that an address may lead to on its way through a translator or a tunnel. */
export function embeddedAddresses(address: AddressBytes): Embedded {
  const found = embeddings.filter(({ range }) => isWithin(address, range));
  return {
    addresses: found.map(({ at, inverted }) => at.map((index) => (address[index] ?? 0) ^ (inverted === true ? 0xff : 0))),
    decide: found.length > 0 && found.every(({ decides }) => decides),
  };
}
