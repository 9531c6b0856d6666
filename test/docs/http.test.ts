import test from 'ava';

import { makeFolder } from '../acceptance/harness/lehr-server.ts';
import { tableUnder, textOf } from './tables.ts';
import { serveHere } from '../api/serve-here.ts';

const routes = tableUnder(textOf('docs/reference/http.md'), 'Routes').map(([cell = '']) => {
  const [method = '', path = ''] = cell.replaceAll('`', '').split(' ');
  return { method, path };
});

/** Every method of the contract, and whether it may be called by GET. */
const methods = ['task', 'image', 'event'].flatMap((name) => {
  const proto = textOf(`proto/lehr/v1/${name}_service.proto`);
  const [, service = ''] = /^service (\w+) \{/m.exec(proto) ?? [];
  return [...proto.matchAll(/^ {2}rpc (\w+)\([^)]*\) returns \([^)]*\)( \{\n.*NO_SIDE_EFFECTS)?/gm)]
    .map(([, method = '', isRead]) => ({ method: isRead === undefined ? 'POST' : 'GET', path: `/lehr.v1.${service}/${method}` }));
});

test('every method of the contract has a route, by GET where that is possible', (t) => {
  t.is(methods.length, 13);
  t.deepEqual(routes.filter(({ path }) => path.startsWith('/lehr.v1.')), methods);
});

test('every route is there, and takes its method', async (t) => {
  const { httpUrl } = await serveHere(t, await makeFolder(t));
  for (const { method, path } of routes) {
    const isCall = path.startsWith('/lehr.v1.');
    const query = isCall && method === 'GET' ? '?encoding=json&message=%7B%7D' : '';
    const response = await fetch(`${httpUrl}${path.replace('{id}', '01a4b1f8-33a5-537f-a4c5-5d6f8a1f4d6e')}${query}`, {
      method, ...(method === 'POST' ? { headers: { 'content-type': 'application/json' }, body: '{}' } : {}),
    });
    t.notRegex(await response.text(), /PATH_UNKNOWN|METHOD_UNKNOWN|HTTP_METHOD_NOT_ALLOWED/, path);
    t.true(response.status < 500, path);
  }
});
