import { credentialOf } from '../../credentials/credential.ts';
import type { Credentials } from '../../credentials/credential.ts';
import { s3Door } from '../s3/s3-door.ts';
import { swiftDoor } from '../swift/swift-door.ts';
import type { Endpoints } from './endpoints.ts';
import type { ObjectDoor } from './object-door.ts';
import type { ObjectAddress } from './object-uri.ts';

/** A door, or why there is none, for the person who named the credential. */
export type FoundDoor = { readonly ok: true; readonly door: ObjectDoor } | { readonly ok: false; readonly message: string };

/** The doors to the object stores of the configuration, one for each credential. */
export class ObjectDoors {
  readonly #credentials: Credentials;
  readonly #endpoints: Endpoints;
  readonly #now: () => Date;
  readonly #byName = new Map<string, ObjectDoor>();

  constructor(credentials: Credentials, endpoints: Endpoints, now: () => Date) {
    this.#credentials = credentials;
    this.#endpoints = endpoints;
    this.#now = now;
  }

  /** The door that an owner's credential of this name opens. */
  find(kind: ObjectAddress['kind'], name: string, owner: string): FoundDoor {
    const found = checkObjectCredential(this.#credentials, kind, name, owner);
    if (!found.ok) return found;
    const { credential } = found;
    const door = this.#byName.get(name)
      ?? (credential.kind === 's3' ? s3Door(credential, this.#endpoints, this.#now) : swiftDoor(credential, this.#endpoints));
    this.#byName.set(name, door);
    return { ok: true, door };
  }
}

/** The credential for an object store: there is no reading or writing without. */
export function checkObjectCredential(
  credentials: Credentials,
  kind: ObjectAddress['kind'],
  name: string,
  owner: string,
): ReturnType<typeof credentialOf<'s3' | 'swift'>> {
  if (name === '') return { ok: false, message: `${kind}:// needs the name of a credential of kind ${kind}; ask the operator which there are` };
  return credentialOf<'s3' | 'swift'>(credentials, name, owner, kind);
}
