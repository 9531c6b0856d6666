import test from 'ava';

import { SWIFT_USERS } from '../../scripts/servers/start-swift.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { sharedSwift } from './shared-swift.ts';

if (hasTool('swift')) {
  test('a Swift gives tokens to its users, keeps their objects, and shows the same ones over S3', async (t) => {
    const { origin } = await sharedSwift(t);
    const { account, user, key } = SWIFT_USERS.anna;
    const login = await fetch(`${origin}/auth/v1.0`, { headers: { 'x-auth-user': `${account}:${user}`, 'x-auth-key': key } });
    const url = login.headers.get('x-storage-url') ?? '';
    const headers = { 'x-auth-token': login.headers.get('x-auth-token') ?? '' };
    t.is(url, `${origin}/v1/AUTH_glass`);
    t.is((await fetch(`${url}/images`, { method: 'PUT', headers })).status, 201);
    t.is((await fetch(`${url}/images/one`, { method: 'PUT', headers, body: 'first' })).status, 201);
    t.is(await (await fetch(`${url}/images/one`, { headers })).text(), 'first');
    t.is((await fetch(`${url}/images/one`)).status, 401);
    t.regex(await (await fetch(`${origin}/images/one`, { headers: { authorization: 'AWS nobody:wrong', date: new Date().toUTCString() } })).text(), /<Code>/);
  });
}
