import { addressClass } from './address-class.ts';
import { isForbiddenHost } from './forbidden-host.ts';
import { addressBytes, isWithin, unmapped } from './ip-address.ts';
import type { AddressRange } from './ip-address.ts';

/** Private addresses that sources may lead to; without a port on every port. */
export type AllowEntry =
  /** Whatever a name resolves to, in lower case. */
  | { readonly kind: 'name'; readonly name: string; readonly port: number | undefined }
  /** Whatever the names below a domain resolve to: `.example.com` for `a.example.com` and `b.a.example.com`. */
  | { readonly kind: 'suffix'; readonly suffix: string; readonly port: number | undefined }
  | { readonly kind: 'range'; readonly range: AddressRange; readonly port: number | undefined }
  /** All of them. */
  | { readonly kind: 'private'; readonly port: number | undefined };

/** Which private addresses sources may lead to; none: public ones only. */
export type SourceAllow = readonly AllowEntry[];

/**
 * What the setting source-allow comes to. Left empty it depends on who may call: without auth everybody who calls is on this
 * machine, and could reach the addresses himself; with auth a caller may be anybody.
 */
export function effectiveAllow(setting: SourceAllow | 'by-auth', auth: string): SourceAllow {
  if (setting !== 'by-auth') return setting;
  return auth === 'none' ? [{ kind: 'private', port: undefined }] : [];
}

/** Where a connection is to lead: `host` as the URL has it, in lower case and without brackets, and an address of it. */
export interface Destination {
  readonly host: string;
  readonly port: number;
  readonly address: string;
}

/** Whether a source may lead there: `private` where it would have to be allowed, `never` where that is no use. */
export function judgeDestination({ host, port, address }: Destination, allow: SourceAllow): 'allowed' | 'private' | 'never' {
  const bytes = addressBytes(address);
  if (bytes === undefined || isForbiddenHost(host)) return 'never';
  const found = addressClass(bytes);
  if (found === 'public') return 'allowed';
  if (found === 'never') return 'never';
  const plain = unmapped(bytes);
  const isAllowed = (entry: AllowEntry): boolean => {
    switch (entry.kind) {
      case 'name':
        return host === entry.name;
      case 'suffix':
        return host.endsWith(entry.suffix);
      case 'range':
        return isWithin(plain, entry.range);
      case 'private':
        return true;
      default:
        return entry satisfies never;
    }
  };
  return allow.some((entry) => (entry.port === undefined || entry.port === port) && isAllowed(entry)) ? 'allowed' : 'private';
}
