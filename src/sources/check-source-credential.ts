import { credentialOf, isKnownTo, noCredentials, unknownCredential } from '../credentials/credential.ts';
import type { Credentials } from '../credentials/credential.ts';
import { destinationOf } from './check-source-uri.ts';
import type { CheckedSourceUri } from './check-source-uri.ts';
import { checkObjectCredential } from './objects/object-doors.ts';
import { bucketFault } from './s3/s3-door.ts';

/**
 * What is wrong with the credential that a task names for an address, for the person who named it; undefined: nothing. Of an address that
 * is refused nobody knows what it takes.
 */
export function credentialFault(
  checked: CheckedSourceUri,
  name: string,
  owner: string,
  credentials: Credentials = noCredentials,
): string | undefined {
  if (!checked.ok) return name === '' || isKnownTo(owner, name, credentials) ? undefined : unknownCredential;
  switch (checked.kind) {
    case 'object': {
      const found = checkObjectCredential(credentials, checked.address.kind, name, owner);
      if (!found.ok) return found.message;
      return found.credential.kind === 's3' ? bucketFault(found.credential, checked.address.container) : undefined;
    }
    case 'http': {
      if (name === '') return undefined;
      const found = credentialOf(credentials, name, owner, 'http');
      if (!found.ok) return found.message;
      return found.credential.hosts.includes(credentialHost(checked.url)) ? undefined : `the credential is not for ${credentialHost(checked.url)}`;
    }
    case 'file':
      return name === '' ? undefined : 'file:// takes no credential; leave it out';
    default:
      return checked satisfies never;
  }
}

/** Host and port that a URL leads to, as credentials name them: a secret goes out in the clear only where that is written. */
export function credentialHost(url: URL): string {
  const host = `${url.hostname}:${destinationOf(url).port}`.toLowerCase();
  return url.protocol === 'https:' ? host : `http://${host}`;
}
