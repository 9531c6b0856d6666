import type { IncomingHttpHeaders } from 'node:http';

import { ApiError } from '../api-error.ts';
import type { HostRule } from './allowed-hosts.ts';
import { hostOf } from './allowed-hosts.ts';

/** From where the HTTP door may be called. */
export interface GuardOptions {
  readonly hosts: HostRule;
  /** Origins of web pages that may call from elsewhere, such as `https://console.example`. */
  readonly origins: ReadonlySet<string>;
}

/** What the guard found: a refusal, or the origin to name in `Access-Control-Allow-Origin`. */
export type Verdict = { readonly refusal: ApiError } | { readonly corsOrigin: string | undefined };

/**
 * Keeps web pages of strangers from driving this server through the browser of somebody who can reach it: by a host name
 * of theirs that points here (see `loopbackHosts`), by a request to another origin (its `Origin` is foreign), or by one
 * that has no `Origin` because it loads an image or a script (`Sec-Fetch-Site`). Programs send neither of the last two
 * headers. A link that a person follows is let through: it can only read, and the page it came from sees nothing.
 */
export function guard(headers: IncomingHttpHeaders, { hosts, origins }: GuardOptions): Verdict {
  const host = hostOf(headers.host);
  if (host === undefined || !hosts(host)) return { refusal: hostNotAllowed(headers.host) };
  const { origin } = headers;
  if (origin !== undefined) {
    if (origins.has(origin)) return { corsOrigin: origin };
    return isSameOrigin(origin, headers.host) ? { corsOrigin: undefined } : { refusal: originNotAllowed(origin) };
  }
  const site = headers['sec-fetch-site'];
  const isForeign = site === 'cross-site' || site === 'same-site';
  return isForeign && headers['sec-fetch-mode'] !== 'navigate' ? { refusal: originNotAllowed(`${site} request`) } : { corsOrigin: undefined };
}

/** Schemes differ where a proxy ends TLS before this server; host and port do not. */
const isSameOrigin = (origin: string, host: string | undefined): boolean => origin === `http://${host}` || origin === `https://${host}`;

const hostNotAllowed = (host = ''): ApiError => new ApiError('PERMISSION_DENIED', 'HOST_NOT_ALLOWED',
  `This server is not called "${host}". Call it by localhost, by a loopback address or by the address it listens on.`);

const originNotAllowed = (origin: string): ApiError => new ApiError('PERMISSION_DENIED', 'ORIGIN_NOT_ALLOWED',
  `Web pages of another origin (${origin}) may not call this server. Serve the page from this origin, or call from a program.`);
