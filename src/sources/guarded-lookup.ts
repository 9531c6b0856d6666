import { lookup } from 'node:dns';
import type { LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { judgeDestination } from './source-allow.ts';
import type { SourceAllow } from './source-allow.ts';

/** A host is, or resolves to, an address that may not be reached. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  readonly code = 'LEHR_ADDRESS_REFUSED';
  readonly verdict: 'private' | 'never';

  constructor(host: string, verdict: 'private' | 'never') {
    super(`${host} leads to an address that ${verdict === 'never' ? 'is never contacted' : 'source-allow does not open'}.`);
    this.verdict = verdict;
  }
}

/** How names are resolved; the system's way unless a test replaces it. */
export type ResolveAll = (hostname: string, done: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void;

/** Asks the system. */
export const resolveBySystem: ResolveAll = (hostname, done) => {
  lookup(hostname, { all: true }, (error, addresses) => done(error, addresses));
};

/** The error for a host of which any address may not be reached, the gravest; undefined: all may. */
export function refusalOf(host: string, port: number, addresses: readonly string[], allow: SourceAllow): AddressRefusedError | undefined {
  const verdicts = addresses.map((address) => judgeDestination({ host, port, address }, allow));
  const verdict = (['never', 'private'] as const).find((refused) => verdicts.includes(refused));
  return verdict === undefined ? undefined : new AddressRefusedError(host, verdict);
}

/**
 * Resolves names for connections to a port, and refuses a name if any of its addresses is one that may not be reached. The
 * connection is made to the very addresses that were judged, so a name that changes between check and use gains nothing.
 * Node does not ask for hosts that are addresses: these are judged by `refusalOf`.
 */
export function guardedLookup(port: number, allow: SourceAllow, resolveNames: ResolveAll): LookupFunction {
  return (hostname, options, callback) => {
    resolveNames(hostname, (error, addresses) => {
      if (error !== null) return callback(error, []);
      const refusal = refusalOf(hostname, port, addresses.map(({ address }) => address), allow);
      if (refusal !== undefined) return callback(refusal, []);
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
