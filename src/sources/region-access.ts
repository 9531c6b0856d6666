import { FailureError, failure } from '../domain/failures.ts';

/** Another Lehr that images are cloned from: where it is, and what it asks for. */
export interface RegionAccess {
  /** Scheme, host and port. These are the operator's words: they are reached whatever source-allow says. */
  readonly origin: string;
  /** The token for tasks of an owner, sent to the origin and to no other; undefined: none. */
  readonly tokenFor: (owner: string) => string | undefined;
}

/** The regions of the configuration, by name. */
export type RegionAccesses = ReadonlyMap<string, RegionAccess>;

/** A region by its name. Throws FailureError where the configuration of this server knows none, any more or yet. */
export function regionNamed(regions: RegionAccesses, name: string): RegionAccess {
  const region = regions.get(name);
  if (region !== undefined) return region;
  const message = `The setting regions of this server names no region ${name}. Ask the operator to add it.`;
  throw new FailureError(failure('REGION_UNREACHABLE', message, { region: name }));
}

/** The value of the header Authorization for a region; undefined: none is sent. */
export function authorizationFor({ tokenFor }: RegionAccess, owner: string): string | undefined {
  const token = tokenFor(owner);
  return token === undefined ? undefined : `Bearer ${token}`;
}
