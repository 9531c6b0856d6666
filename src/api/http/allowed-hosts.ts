import { isIPv4 } from 'node:net';

/** Whether requests may be addressed to this host: a name or an address, lower-case, without port and brackets. */
export type HostRule = (host: string) => boolean;

const loopbackV6 = new Set(['::1', '0:0:0:0:0:0:0:1', '::ffff:127.0.0.1', '::ffff:7f00:1']);

/**
 * Allows names and addresses of loopback, and `others`, such as the address that is listened on.
 *
 * A server without auth needs this although it listens on loopback only: a web page may name a host of its own, let that
 * name point to 127.0.0.1, and so be of the same origin as this server in the eyes of the browser (DNS rebinding). The
 * name it uses is in the Host header.
 */
export function loopbackHosts(others: readonly string[] = []): HostRule {
  const allowed = new Set(others.map((host) => host.toLowerCase()));
  return (host) => host === 'localhost' || host.endsWith('.localhost') || (isIPv4(host) && host.startsWith('127.'))
    || loopbackV6.has(host) || allowed.has(host);
}

/** The host of a Host header without port, brackets and trailing dot, lower-case; `undefined` where it is no host. */
export function hostOf(header: string | undefined): string | undefined {
  const [, bracketed, plain] = /^(?:\[([\da-f:.]+)\]|([^\s:/@[\]]+))(?::\d{1,5})?$/i.exec(header ?? '') ?? [];
  return (bracketed ?? plain)?.toLowerCase().replace(/\.$/, '');
}
