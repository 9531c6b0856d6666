import test from 'ava';

import { rawDisk } from './harness/disk-images.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import { startSource, gives, trickles } from './harness/source-server.ts';
import { awaitTask, awaitTasks, createImport, importFrom } from './harness/tasks.ts';

const slowImports = 100;
const mebibyte = 1024 * 1024;

test('a hundred imports over slow lines hold up nobody: one over a fast line ends while they all run', async (t) => {
  const source = await startSource(t);
  // At this rate each would take more than a minute.
  const slow = source.serve('/slow', trickles(rawDisk(mebibyte, 1).bytes, 10_000));
  const fast = rawDisk(32 * mebibyte, 2);
  const server = await startServer(t, await makeFolder(t));
  const created = await Promise.all(Array.from({ length: slowImports }, () => server.api.createTask(importFrom(slow))));
  const ids = created.map(({ task }) => task!.id);
  await awaitTasks(server.api, ids, ({ state }) => state === 'STATE_RUNNING');
  const { id } = await createImport(server.api, source.serve('/fast', gives(fast.bytes)), {}, { expectedDigest: fast.digest });
  t.is((await awaitTask(server.api, id)).state, 'STATE_SUCCEEDED');
  const others = await awaitTasks(server.api, ids, () => true);
  t.deepEqual(new Set(others.map(({ state }) => state)), new Set(['STATE_RUNNING']));
});
