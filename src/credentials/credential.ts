import type { Secret } from './secret.ts';

/** What every credential has. */
interface Named {
  readonly name: string;
  /** Who may use it; undefined: everybody. */
  readonly owners: readonly string[] | undefined;
}

/** A pair of keys for buckets of one S3-compatible endpoint. */
export interface S3Credential extends Named {
  readonly kind: 's3';
  /** Scheme, host and port. */
  readonly endpoint: URL;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: Secret;
  /** Whether a bucket stands in the path (`/bucket/key`) rather than in the host (`bucket.endpoint`). */
  readonly pathStyle: boolean;
}

/** A user of one Swift, who gets a token from tempauth (v1) or from Keystone (v3). */
export interface SwiftCredential extends Named {
  readonly kind: 'swift';
  /** Where tokens are asked for: of v1 the whole address, of v3 what stands before `/auth/tokens`. */
  readonly authUrl: URL;
  readonly username: string;
  readonly password: Secret;
  readonly auth:
    | { readonly version: 'v1' }
    | {
      readonly version: 'v3';
      readonly project: string;
      readonly userDomain: string;
      readonly projectDomain: string;
      /** Of the object store in Keystone's catalogue; empty: the first one. */
      readonly region: string;
    };
}

/** What some http and https servers ask for; it is sent to these and to no other. */
export interface HttpCredential extends Named {
  readonly kind: 'http';
  /** `host:port` for https, `http://host:port` for http, in lower case, IPv6 in brackets. */
  readonly hosts: readonly string[];
  /** The value of the header Authorization. */
  readonly authorization: Secret;
}

/** The token that another Lehr asks for. It has the name of the region that it is for. */
export interface LehrCredential extends Named {
  readonly kind: 'lehr';
  readonly token: Secret;
}

/** A secret of the configuration, and what it is for. */
export type Credential = S3Credential | SwiftCredential | HttpCredential | LehrCredential;

/** What a credential is for. */
export type CredentialKind = Credential['kind'];

/** The credentials of the configuration, by name. */
export type Credentials = ReadonlyMap<string, Credential>;

/** What is used where nothing is configured. */
export const noCredentials: Credentials = new Map();

/** Said of a name that nobody may use, or that is not this owner's. */
export const unknownCredential = 'no credential of this name is configured';

/** A credential that may be used, or why there is none, for the person who named it. */
export type FoundCredential<Kind extends CredentialKind> =
  | { readonly ok: true; readonly credential: Extract<Credential, { kind: Kind }> }
  | { readonly ok: false; readonly message: string };

/**
 * The credential that an owner names for a purpose. One that belongs to others is as unknown as one that does not exist: who asks
 * learns nothing about what others have.
 */
export function credentialOf<Kind extends CredentialKind>(
  credentials: Credentials,
  name: string,
  owner: string,
  kind: Kind,
): FoundCredential<Kind> {
  const credential = credentials.get(name);
  if (credential === undefined || !isKnownTo(owner, name, credentials)) return { ok: false, message: unknownCredential };
  if (!isOf(credential, kind)) return { ok: false, message: `the credential is of kind ${credential.kind}; one of kind ${kind} is needed here` };
  return { ok: true, credential };
}

/** Whether an owner may use a credential of this name. */
export function isKnownTo(owner: string, name: string, credentials: Credentials): boolean {
  const credential = credentials.get(name);
  return credential !== undefined && credential.owners?.includes(owner) !== false;
}

function isOf<Kind extends CredentialKind>(credential: Credential, kind: Kind): credential is Extract<Credential, { kind: Kind }> {
  return credential.kind === kind;
}
