import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

type Named = { readonly name?: string; readonly domain?: { readonly name?: string } };

/** What a login of Identity API v3 asks for, as far as the double looks. */
type Login = {
  readonly auth?: {
    readonly identity?: { readonly password?: { readonly user?: Named & { readonly password?: string } } };
    readonly scope?: { readonly project?: Named };
  };
};

export type KeystoneDouble = {
  /** What a credential has as its `auth-url`. */
  readonly url: string;
  /** How many logins it took. */
  readonly logins: () => number;
  stop(): Promise<void>;
};

/**
 * A double of Keystone: it speaks `POST /v3/auth/tokens` as the Identity API v3 describes it and knows one user, anna of the domain
 * staff with the project glass, whose tokens it gets from the tempauth of a real Swift. So the bytes go to and from a real Swift.
 * The first `badTokens` tokens are none that Swift takes, as if they had expired.
 */
export async function startKeystoneDouble(swiftOrigin: string, key: string, badTokens = 0): Promise<KeystoneDouble> {
  let logins = 0;
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const { auth } = (await json(request)) as Login;
      const { name, password, domain } = auth?.identity?.password?.user ?? {};
      const project = auth?.scope?.project;
      const told = [name, password, domain?.name, project?.name, project?.domain?.name];
      const isKnown = told.join() === ['anna', key, 'staff', 'glass', 'staff'].join();
      if (request.method !== 'POST' || request.url !== '/v3/auth/tokens' || !isKnown) {
        response.writeHead(401, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { code: 401, title: 'Unauthorized' } }));
        return;
      }
      logins += 1;
      const login = await fetch(`${swiftOrigin}/auth/v1.0`, { headers: { 'x-auth-user': 'glass:anna', 'x-auth-key': key } });
      const token = logins <= badTokens ? `AUTH_tk-expired-${logins}` : login.headers.get('x-auth-token') ?? '';
      const endpoint = (name_: string, region: string, url: string) => ({ interface: name_, region, region_id: region, url });
      const endpoints = [
        endpoint('public', 'ELSEWHERE', 'http://127.0.0.1:1/v1/AUTH_glass'),
        endpoint('internal', 'DFW', 'http://127.0.0.1:1/v1/AUTH_glass'),
        endpoint('public', 'DFW', login.headers.get('x-storage-url') ?? ''),
      ];
      response.writeHead(201, { 'content-type': 'application/json', 'x-subject-token': token });
      response.end(JSON.stringify({ token: { catalog: [{ type: 'compute', endpoints: [] }, { type: 'object-store', name: 'swift', endpoints }] } }));
    };
    answer().catch(() => response.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v3`,
    logins: () => logins,
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
