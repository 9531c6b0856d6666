import { embeddedAddresses } from './embedded-addresses.ts';
import { addressBytes, isWithin, knownRange } from './ip-address.ts';
import type { AddressBytes, AddressRange } from './ip-address.ts';

/**
 * Addresses that no source may lead to, whatever the settings: link-local ones, behind which clouds keep their metadata
 * services with the credentials of this machine, and the metadata addresses that lie elsewhere. Sources: RFC 3927 and 4291
 * (link-local); the instance metadata documentation of AWS (fd00:ec2::254, fd00:ec2::23), Google (fd20:ce::254), Alibaba
 * (100.100.100.200), Azure (168.63.129.16) and Oracle (192.0.0.192).
 */
const forbidden: readonly AddressRange[] = [
  '169.254.0.0/16', 'fe80::/10',
  '100.100.100.200/32', '168.63.129.16/32', '192.0.0.192/32',
  'fd00:ec2::254/128', 'fd00:ec2::23/128', 'fd20:ce::254/128',
].map(knownRange);

const forbiddenNames: ReadonlySet<string> = new Set([
  'metadata.google.internal',
  'metadata.goog',
  'metadata',
  'instance-data',
  'instance-data.ec2.internal',
]);

/**
 * Whether a host is one that no source may lead to. `host` is an IPv4 or IPv6 address, without brackets, or a name; a name
 * that merely resolves to such an address is not seen here.
 */
export function isForbiddenHost(host: string): boolean {
  const bare = host.replace(/\.$/, '').toLowerCase();
  const bytes = addressBytes(bare);
  return bytes === undefined ? forbiddenNames.has(bare) : isForbiddenAddress(bytes);
}

/** Whether an address, or one that it carries through a translator or a tunnel, is one that no source may lead to. */
export function isForbiddenAddress(address: AddressBytes): boolean {
  return [address, ...embeddedAddresses(address).addresses].some((bytes) => forbidden.some((range) => isWithin(bytes, range)));
}

/** Whether a range holds nothing but addresses that no source may lead to. */
export function isForbiddenRange(range: AddressRange): boolean {
  if (range.prefixBits === range.network.length * 8) return isForbiddenAddress(range.network);
  return forbidden.some((never) => never.prefixBits <= range.prefixBits && isWithin(range.network, never));
}
