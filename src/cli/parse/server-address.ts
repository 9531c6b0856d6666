import { isIP } from 'node:net';

import { InvalidArgumentError } from 'commander';

/** Where `lehr serve` listens when nobody says otherwise. */
export const defaultServer = '127.0.0.1:50051';

const defaultPort = 50051;

/**
 * Reads `host`, `host:port`, `[v6]` or `[v6]:port`, adding the default port; an empty text, as of an empty environment
 * variable, is the default. Throws where it is none of these.
 */
export function parseServerAddress(text: string): string {
  if (text === '') return defaultServer;
  const match = /^(?<host>\[[0-9a-fA-F:.]+\]|[^\s:/[\]]+)(?::(?<port>\d{1,5}))?$/.exec(text);
  const port = Number(match?.groups?.['port'] ?? defaultPort);
  const host = match?.groups?.['host'];
  if (host === undefined || port < 1 || port > 65_535) throw new InvalidArgumentError('Write HOST:PORT, such as 127.0.0.1:50051.');
  return `${host}:${port}`;
}

/** Reads the address of the HTTP door, such as `http://127.0.0.1:8080`; `http://` may be left out. Without a slash at the end. */
export function parseHttpServer(text: string): string {
  const uri = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (uri === null || !/^https?:$/.test(uri.protocol) || uri.username !== '' || uri.search !== '' || uri.hash !== '') {
    throw new InvalidArgumentError('Write HOST:PORT or http://HOST:PORT.');
  }
  return uri.href.replace(/\/+$/, '');
}

/** Whether `host:port` names this machine by a loopback address or as localhost. */
export function isLoopback(address: string): boolean {
  const host = address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
