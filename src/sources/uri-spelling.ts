import { isIPv4, isIPv6 } from 'node:net';
import { endsInNumber, isHostName } from './host-name.ts';

/** A host in a message is cut to so many characters. */
const shownLimit = 100;

/** Characters that parsers of URLs drop, or read as others; undefined: there are none. */
export function characterFault(uri: string): string | undefined {
  return /[\u0000-\u0020\u007f-\u009f\\]|\s/.test(uri)
    ? 'The source URI has a blank, a control character or a backslash; write it percent-encoded, as %20 or %5C.'
    : undefined;
}

/**
 * What is odd about how an http or https URI spells user, host and port; undefined: nothing. Parsers write such spellings the
 * usual way, each a little differently, so that a filter and whoever connects may see different hosts (Glance bugs 2138602,
 * 2138672 and 2138675). Hence the text as it was sent is judged, and nothing in it is made good. Host and port are those of
 * RFC 3986, 3.2.2, of which the plain forms are taken: a name, four decimal numbers, or IPv6 in brackets.
 */
export function authorityFault(uri: string): string | undefined {
  const [, authority] = /^https?:\/\/([^/?#]*)/i.exec(uri) ?? [];
  if (authority === undefined) return 'The source URI must have // behind its scheme, then the host.';
  if (authority.includes('@')) return 'The source URI holds a user name or password; name a credential instead.';
  const [, bracketed, name = '', port] = /^(?:\[([^\]]*)\]|([^:]*))(?::(.*))?$/.exec(authority) ?? [];
  return portFault(port) ?? (bracketed === undefined ? nameFault(name) : ipv6Fault(bracketed));
}

/** The host of an http or https URI without fault, as it is written but in lower case. */
export function hostAsWritten(uri: string): string {
  const [, host = ''] = /^https?:\/\/([^/?#:]*)/i.exec(uri) ?? [];
  return host.toLowerCase();
}

function portFault(port: string | undefined): string | undefined {
  if (port === undefined || (/^[1-9]\d{0,4}$/.test(port) && Number(port) <= 65_535)) return undefined;
  return 'The port of the source URI must be a number from 1 to 65535. An IPv6 address stands in brackets.';
}

function ipv6Fault(host: string): string | undefined {
  if (host.includes('%')) return 'The host of the source URI names a network interface behind %; leave that out.';
  return isIPv6(host) ? undefined : 'The host of the source URI is no IPv6 address, though it stands in brackets.';
}

function nameFault(host: string): string | undefined {
  if (host === '') return 'The source URI names no host.';
  if (/[^\u0000-\u007f]/.test(host)) return 'The host of the source URI has letters beyond ASCII; write it in its xn-- form.';
  const shown = host.length <= shownLimit ? host : `${host.slice(0, shownLimit)}…`;
  if (host.includes('%')) return `The host ${shown} is percent-encoded; write it plainly.`;
  if (host.endsWith('.')) return `The host ${shown} ends with a dot; leave it out.`;
  if (isIPv4(host)) return undefined;
  if (endsInNumber(host)) return `The host ${shown} is an odd spelling of an IPv4 address; write four decimal numbers, as in 192.0.2.1.`;
  return isHostName(host) ? undefined : `The host ${shown} is no host name: letters, digits and hyphens with dots between.`;
}
