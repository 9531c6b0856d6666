import type { SwiftCredential } from '../../credentials/credential.ts';
import { askAdmitted } from '../objects/ask-admitted.ts';
import type { Endpoints } from '../objects/endpoints.ts';
import type { AdmittedRequest, ObjectDoor, ObjectRequest } from '../objects/object-door.ts';
import { encodePath, encodeText } from '../objects/object-uri.ts';
import { logIn } from './swift-session.ts';
import type { SwiftSession } from './swift-session.ts';

/** A login may take so long. */
const loginTimeoutMs = 30_000;

/** A login under way or done; `token` is there once it is done. */
interface Login {
  readonly session: Promise<SwiftSession>;
  token: string | undefined;
}

/** The way into a Swift. The token is kept for all that use the credential; one that is refused is given up, and a new one asked for. */
export function swiftDoor(credential: SwiftCredential, endpoints: Endpoints): ObjectDoor {
  let current: Login | undefined;
  const enter = (): Promise<SwiftSession> => {
    if (current !== undefined) return current.session;
    // The login is shared, so no single caller's abort may end it.
    const login: Login = { session: logIn(credential, endpoints, AbortSignal.timeout(loginTimeoutMs)), token: undefined };
    current = login;
    login.session.then(({ token }) => { login.token = token; }, () => {
      if (current === login) current = undefined;
    });
    return login.session;
  };
  const entry = {
    async admit({ address, query = {}, headers = {} }: ObjectRequest, signal: AbortSignal): Promise<AdmittedRequest> {
      const { token, storageUrl } = await abortable(enter(), signal);
      const path = address.name === '' ? encodePath(address.container) : `${encodePath(address.container)}/${encodePath(address.name)}`;
      const url = new URL(`${storageUrl}/${path}`);
      url.search = Object.entries(query).map(([name, value]) => `${encodeText(name)}=${encodeText(value)}`).join('&');
      return { url, headers: { ...headers, 'x-auth-token': token } };
    },
    renew({ headers }: AdmittedRequest): boolean {
      // Others may have renewed it already.
      if (current?.token === headers['x-auth-token']) current = undefined;
      return true;
    },
  };
  return { ...entry, ask: (request, signal) => askAdmitted(entry, endpoints, request, signal) };
}

/** Waits for something that others wait for too, and leaves it when the signal says so. */
async function abortable<Value>(promise: Promise<Value>, signal: AbortSignal): Promise<Value> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
