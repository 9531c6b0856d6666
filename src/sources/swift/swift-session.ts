import type { SwiftCredential } from '../../credentials/credential.ts';
import { headerText } from '../header-text.ts';
import { StatusError } from '../objects/endpoint-error.ts';
import type { Endpoints } from '../objects/endpoints.ts';

/** What a login gives. */
export interface SwiftSession {
  readonly token: string;
  /** Where the account's containers are, without a slash behind. */
  readonly storageUrl: string;
}

/** A login came to no session, though no status says why: no object store in the catalogue, an answer without a token. */
export class LoginError extends Error {
  override readonly name = 'LoginError';
}

/** Logs in. Rejects with EndpointError, StatusError or LoginError. */
export async function logIn(credential: SwiftCredential, endpoints: Endpoints, signal: AbortSignal): Promise<SwiftSession> {
  const { auth } = credential;
  switch (auth.version) {
    case 'v1':
      return logInToTempauth(credential, endpoints, signal);
    case 'v3':
      return logInToKeystone(credential, auth, endpoints, signal);
    default:
      return auth satisfies never;
  }
}

async function logInToTempauth(credential: SwiftCredential, endpoints: Endpoints, signal: AbortSignal): Promise<SwiftSession> {
  const { authUrl, username, password } = credential;
  const headers = { 'x-auth-user': username, 'x-auth-key': password.reveal() };
  const answer = await endpoints.ask({ method: 'GET', url: authUrl, headers }, authUrl, signal);
  if (answer.status < 200 || answer.status > 299) throw new StatusError(authUrl, answer);
  return sessionOf(authUrl, headerText(answer.headers, 'x-auth-token'), headerText(answer.headers, 'x-storage-url'));
}

type KeystoneAuth = Extract<SwiftCredential['auth'], { version: 'v3' }>;

/** Keystone's "Password authentication with scoped authorization" (Identity API v3, POST /v3/auth/tokens). */
async function logInToKeystone(
  { authUrl, username, password }: SwiftCredential,
  auth: KeystoneAuth,
  endpoints: Endpoints,
  signal: AbortSignal,
): Promise<SwiftSession> {
  const url = new URL(authUrl);
  url.pathname = `${authUrl.pathname.replace(/\/$/, '')}/auth/tokens`;
  const user = { name: username, password: password.reveal(), domain: { name: auth.userDomain } };
  const scope = { project: { name: auth.project, domain: { name: auth.projectDomain } } };
  const body = Buffer.from(JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } }, scope } }));
  const headers = { 'content-type': 'application/json', 'content-length': String(body.length) };
  const answer = await endpoints.ask({ method: 'POST', url, headers, body }, url, signal);
  if (answer.status !== 201) throw new StatusError(url, answer);
  return sessionOf(url, headerText(answer.headers, 'x-subject-token'), storageUrlIn(answer.body, auth.region));
}

function sessionOf(url: URL, token: string | undefined, storageUrl: string | undefined): SwiftSession {
  if (token === undefined || token === '') throw new LoginError(`${url.origin} took the login and gave no token.`);
  if (storageUrl === undefined || !URL.canParse(storageUrl) || !/^https?:/.test(storageUrl)) {
    throw new LoginError(`${url.origin} took the login and named no object store. Check project and region of the credential.`);
  }
  return { token, storageUrl: storageUrl.replace(/\/$/, '') };
}

interface CatalogueEndpoint {
  readonly interface?: string;
  readonly region?: string;
  readonly region_id?: string;
  readonly url?: string;
}

interface CatalogueEntry {
  readonly type?: string;
  readonly endpoints?: readonly CatalogueEndpoint[];
}

/** The public address of the object store in the catalogue of a token. */
function storageUrlIn(body: Buffer, region: string): string | undefined {
  let catalogue: readonly CatalogueEntry[];
  try {
    catalogue = (JSON.parse(body.toString()) as { token?: { catalog?: readonly CatalogueEntry[] } }).token?.catalog ?? [];
  } catch {
    return undefined;
  }
  return catalogue.filter(({ type }) => type === 'object-store').flatMap(({ endpoints = [] }) => endpoints)
    .find((endpoint) => endpoint.interface === 'public' && (region === '' || [endpoint.region, endpoint.region_id].includes(region)))?.url;
}
