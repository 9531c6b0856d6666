/** How long a browser may remember the answer to a preflight. */
const preflightMaxAgeSeconds = '7200';

/** What browsers may send to the protocols of Connect; from the Connect documentation, "CORS". */
const requestHeaders = 'authorization, content-type, connect-protocol-version, connect-timeout-ms, grpc-timeout, x-grpc-web, x-user-agent, range, if-range, if-none-match';

/** What pages may read of the answers. */
const exposedHeaders = 'grpc-status, grpc-message, grpc-status-details-bin, accept-ranges, content-range, content-length, etag, repr-digest';

/** Headers for an answer to a page of another origin that may call; none where `origin` is undefined. */
export function corsHeaders(origin: string | undefined): Readonly<Record<string, string>> {
  if (origin === undefined) return {};
  return { 'access-control-allow-origin': origin, 'access-control-expose-headers': exposedHeaders, vary: 'origin' };
}

/** Headers for the answer to a preflight of such a page. */
export function preflightHeaders(methods: readonly string[]): Record<string, string> {
  return {
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': requestHeaders,
    'access-control-max-age': preflightMaxAgeSeconds,
  };
}
