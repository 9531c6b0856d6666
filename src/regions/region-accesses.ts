import { credentialOf, type Credentials } from '../credentials/credential.ts';
import type { RegionAccesses } from '../sources/region-access.ts';
import type { Region } from './parse-regions.ts';

/** The regions of the setting, each with the token of the credential of kind `lehr` that has its name, for tasks of its owners. */
export function regionAccesses(regions: readonly Region[], credentials: Credentials): RegionAccesses {
  const tokenOf = (region: string, owner: string): string | undefined => {
    const found = credentialOf(credentials, region, owner, 'lehr');
    return found.ok ? found.credential.token.reveal() : undefined;
  };
  return new Map(regions.map(({ name, origin }) => [name, { origin, tokenFor: (owner) => tokenOf(name, owner) }]));
}
