import test from 'ava';

import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { logLines, makeFolder, startServer } from '../acceptance/harness/lehr-server.ts';
import { answers, gives, inTurn, startSource } from '../acceptance/harness/source-server.ts';
import { awaitTask, createImport } from '../acceptance/harness/tasks.ts';

const secret = 's3cr3t-t0ken';

test('the log is JSON, tells the life of each task by its id, and holds nothing secret of any request', async (t) => {
  const image = rawDisk(64 * 1024, 1);
  const source = await startSource(t);
  const server = await startServer(t, await makeFolder(t), { 'log-level': 'debug' });
  const { api } = server;
  const good = await createImport(api, `${source.serve('/good', gives(image.bytes))}?sig=${secret}#${secret}`, { labels: { note: secret } }, {
    image: { name: secret, properties: { password: secret } },
  });
  const tired = await createImport(api, `${source.serve('/tired', inTurn(answers(503), gives(image.bytes)))}?sig=${secret}`);
  const gone = await createImport(api, `${source.serve('/gone', answers(302, { location: `/elsewhere?sig=${secret}` }))}?sig=${secret}`);
  for (const { id } of [good, tired, gone]) await awaitTask(api, id);
  await api.deleteImage({ id: good.id });
  // Bad requests leave no trace of what they held, either.
  await t.throwsAsync(createImport(api, `https://user:${secret}@example.com/disk`));
  await t.throwsAsync(createImport(api, `https://example.com/disk`, { labels: { [secret.toUpperCase()]: secret } }));
  t.deepEqual(await server.kill('SIGTERM'), { code: 0, signal: null });

  const lines = logLines(server);
  t.false(server.process.stderr().includes(secret));
  t.false(server.process.stderr().includes(secret.toUpperCase()));
  t.false(server.process.stdout().includes(secret));
  for (const line of lines) t.true(typeof line['level'] === 'number' && typeof line['time'] === 'number' && typeof line['msg'] === 'string');
  const told = (id: string): readonly unknown[] => lines.filter((line) => line['task_id'] === id).map(({ msg }) => msg);
  t.deepEqual(told(good.id), [
    'task accepted', 'attempt started', 'stage completed', 'stage completed', 'imageStored', 'task succeeded',
  ]);
  t.deepEqual(told(tired.id), [
    'task accepted', 'attempt started', 'attempt failed', 'attempt started', 'stage completed', 'stage completed', 'imageStored', 'task succeeded',
  ]);
  t.deepEqual(told(gone.id), ['task accepted', 'attempt started', 'task failed']);
  t.like(lines.find(({ msg }) => msg === 'task failed'), { reason: 'REASON_SOURCE_NOT_FOUND', stage: 'fetch', owner: 'default' });
  t.true(lines.some((line) => line['image_id'] === good.id && line['msg'] === 'image deleted'));
  t.is(lines.at(-1)?.['msg'], 'stopping');
});

test('at the level error a server that has no trouble says nothing', async (t) => {
  const source = await startSource(t);
  const server = await startServer(t, await makeFolder(t), { 'log-level': 'error' });
  await awaitTask(server.api, (await createImport(server.api, source.serve('/disk', gives(rawDisk(64 * 1024, 1).bytes)))).id);
  await server.kill('SIGTERM');
  t.is(server.process.stderr(), '');
});
