import test from 'ava';

import { makeFolder } from '../acceptance/harness/lehr-server.ts';
import { serveHere } from '../api/serve-here.ts';

test('a server that is ready is healthy and ready for whoever asks', async (t) => {
  const { httpUrl } = await serveHere(t, await makeFolder(t));
  for (const [path, status] of [['/healthz', 'ok'], ['/readyz', 'ready']] as const) {
    const response = await fetch(`${httpUrl}${path}`);
    t.deepEqual([response.status, await response.json()], [200, { status }]);
  }
});
