import { isForbiddenHost, isForbiddenRange } from './forbidden-host.ts';
import { isHostName } from './host-name.ts';
import { addressBytes, addressRange, unmapped } from './ip-address.ts';
import type { AddressRange } from './ip-address.ts';
import type { AllowEntry, SourceAllow } from './source-allow.ts';

/** The setting has at most so many entries. */
export const allowLimit = 100;

const form = 'must be a list of hosts, addresses and ranges such as mirror.lan,*.corp.example:443,10.1.0.0/16,[fd00::1]:9000, or private, or none';

/** An entry, or what is wrong with it. */
type Parsed = AllowEntry | { readonly problem: string };

/**
 * Reads the setting source-allow: entries with commas between, each a host name, `*.` and a domain, an address, a range, or
 * the word `private`, with `:port` where it is meant for one port, IPv6 then in brackets; or the word `none`. Empty:
 * `by-auth`. An entry that nothing can make reachable is refused, since somebody counts on it.
 */
export function parseSourceAllow(text: string): SourceAllow | 'by-auth' | { readonly problem: string } {
  const parts = text.split(',').map((part) => part.trim()).filter((part) => part !== '');
  if (parts.length === 0) return 'by-auth';
  if (parts.length > allowLimit) return { problem: `must have at most ${allowLimit} entries` };
  if (parts.length === 1 && parts[0] === 'none') return [];
  if (parts.some((part) => /^none(?::.*)?$/i.test(part))) return { problem: 'must be none alone where nothing private may be reached' };
  const entries: AllowEntry[] = [];
  for (const part of parts) {
    const parsed = parseEntry(part);
    if ('problem' in parsed) return parsed;
    entries.push(parsed);
  }
  return entries;
}

function parseEntry(part: string): Parsed {
  const { host, portText, isIpv6 } = splitPort(part);
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && !(port >= 1 && port <= 65_535)) return { problem: `${form}; the port of "${part}" is not from 1 to 65535` };
  if (isForbiddenHost(host)) return { problem: neverReached(part) };
  const range = isIpv6 && !host.includes(':') ? undefined : rangeOf(host);
  if (range !== undefined) return checkRange(part, range, port);
  if (!isIpv6) {
    if (host === 'private') return { kind: 'private', port };
    if (host.startsWith('*.') && isHostName(host.slice(2))) return { kind: 'suffix', suffix: host.slice(1), port };
    if (isHostName(host)) return { kind: 'name', name: host, port };
  }
  return { problem: `${form}; "${part}" is none of these${host.includes('/') ? '. A range has zeros behind its prefix' : ''}` };
}

/** More than one colon, or brackets, make an IPv6 address, whose port stands behind brackets only. */
function splitPort(part: string): { readonly host: string; readonly portText: string | undefined; readonly isIpv6: boolean } {
  const [all, bracketed, bracketedPort] = /^\[([^[\]]*)\](?::(.*))?$/.exec(part) ?? [];
  if (all !== undefined) return { host: (bracketed ?? '').toLowerCase(), portText: bracketedPort, isIpv6: true };
  const [host = '', portText, ...more] = part.split(':');
  if (more.length > 0) return { host: part.toLowerCase(), portText: undefined, isIpv6: true };
  return { host: host.toLowerCase(), portText, isIpv6: false };
}

function rangeOf(host: string): AddressRange | undefined {
  const bytes = host.includes('%') ? undefined : addressBytes(host);
  return bytes === undefined ? addressRange(host) : { network: bytes, prefixBits: bytes.length * 8 };
}

function checkRange(part: string, range: AddressRange, port: number | undefined): Parsed {
  if (isForbiddenRange(range)) return { problem: neverReached(part) };
  if (unmapped(range.network) !== range.network) return { problem: `must have IPv4 addresses as such, and not as "${part}"` };
  return { kind: 'range', range, port };
}

function neverReached(part: string): string {
  return `must not have "${part}": link-local addresses and metadata services of clouds are never contacted, whatever is set here`;
}
