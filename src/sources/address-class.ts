import { embeddedAddresses } from './embedded-addresses.ts';
import { isForbiddenAddress } from './forbidden-host.ts';
import { isWithin, knownRange } from './ip-address.ts';
import type { AddressBytes } from './ip-address.ts';

/** `public`: of the Internet; `private`: of this machine, its network or nobody; `never`: link-local or a cloud's metadata. */
export type AddressClass = 'public' | 'private' | 'never';

/**
 * Ranges that are not of the Internet. Sources: IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), what is
 * not "globally reachable" there, and the IPv4 multicast space (RFC 5771). 192.0.0.0/24 and 2001::/23 stand here whole: the
 * anycast addresses in them that are marked as reachable lead to the nearest router, and no image lies there.
 */
const special = [
  '0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24', '192.0.2.0/24',
  '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24', '224.0.0.0/4', '240.0.0.0/4',
  '2001::/23', '2001:db8::/32', '3fff::/20',
].map(knownRange);

/** Of IPv6 only this much is given out (RFC 4291, 2.4): loopback, unique local, multicast and the rest lie outside. */
const globalUnicast = knownRange('2000::/3');

/** Where an address leads; an IPv6 address that carries IPv4 ones through a translator or a tunnel is judged by these. */
export function addressClass(address: AddressBytes): AddressClass {
  if (isForbiddenAddress(address)) return 'never';
  const { addresses, decide } = embeddedAddresses(address);
  if (decide) return addresses.every((embedded) => addressClass(embedded) === 'public') ? 'public' : 'private';
  if (address.length === 16 && !isWithin(address, globalUnicast)) return 'private';
  return special.some((range) => isWithin(address, range)) ? 'private' : 'public';
}
