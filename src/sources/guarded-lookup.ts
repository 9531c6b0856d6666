import { lookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { isForbiddenHost } from './forbidden-host.ts';

/** A name resolves to an address that is never contacted. */
export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError';
  readonly code = 'LEHR_FORBIDDEN_ADDRESS';
}

/** How names are resolved; the system's way unless a test replaces it. */
export type ResolveAll = (hostname: string, done: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void;

const resolveAll: ResolveAll = (hostname, done) => lookup(hostname, { all: true }, (error, addresses) => done(error, addresses));

/**
 * Resolves names for connections, and refuses a name if any of its addresses is one that is never contacted. The connection
 * is made to the very addresses that were checked, so a name that changes between check and use gains nothing.
 */
export function guardedLookup(resolveNames: ResolveAll = resolveAll): LookupFunction {
  return (hostname, options, callback) => {
    resolveNames(hostname, (error, addresses) => {
      if (error !== null) return callback(error, []);
      if (addresses.some(({ address }) => isForbiddenHost(address))) {
        return callback(new ForbiddenAddressError(`${hostname} resolves to an address that is never contacted.`), []);
      }
      const wanted = addresses.filter(({ family }) => isWanted(options.family, family));
      const [first] = wanted;
      if (options.all === true) return callback(null, [...wanted]);
      if (first === undefined) return callback(new Error(`${hostname} has no address.`), []);
      callback(null, first.address, first.family);
    });
  };
}

function isWanted(wanted: number | string | undefined, family: number): boolean {
  return wanted === undefined || wanted === 0 || wanted === family || wanted === `IPv${family}`;
}
