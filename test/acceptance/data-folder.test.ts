import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import test from 'ava';

import { rawDisk } from './harness/disk-images.ts';
import { runProcess } from './harness/lehr-process.ts';
import { makeFolder, serveArgs, startServer } from './harness/lehr-server.ts';
import { gives, startSource } from './harness/source-server.ts';
import { awaitTask, createImport } from './harness/tasks.ts';

test('a second server on the same data folder is refused by name until the first has died, by whatever death', async (t) => {
  const folder = await makeFolder(t);
  const source = await startSource(t);
  const image = rawDisk(64 * 1024, 1);
  const first = await startServer(t, folder);
  const { id } = await createImport(first.api, source.serve('/disk', gives(image.bytes)));
  await awaitTask(first.api, id);

  const refused = await runProcess(serveArgs(folder));
  const holder = new RegExp(`^lehr serve: data-dir ${folder} is in use by process ${first.process.child.pid} on \\S+\\. Stop it, or choose another data-dir\\.\\n$`);
  t.deepEqual({ code: refused.code, stdout: refused.stdout }, { code: 1, stdout: '' });
  t.regex(refused.stderr, holder);
  // The first one has not suffered from it.
  t.is((await first.api.getTask({ id })).task?.state, 'STATE_SUCCEEDED');

  await first.kill('SIGKILL');
  const second = await startServer(t, folder);
  t.is((await second.api.getTask({ id })).task?.result?.digest, image.digest);
  t.regex((await runProcess(serveArgs(folder))).stderr, new RegExp(`process ${second.process.child.pid} on `));
});

test('a server with another log leaves the images of a store alone that it does not know', async (t) => {
  const [folder, store] = [await makeFolder(t), await makeFolder(t)];
  const source = await startSource(t);
  const first = await startServer(t, folder, { 'store-dir': store });
  const { id } = await createImport(first.api, source.serve('/disk', gives(rawDisk(64 * 1024, 1).bytes)));
  await awaitTask(first.api, id);
  await first.kill('SIGTERM');
  await writeFile(path.join(store, 'staging', 'stranger.1'), 'of a task of the other log');

  const stranger = await startServer(t, await makeFolder(t), { 'store-dir': store });
  // It sweeps the store at its start; an import of its own takes longer than that.
  const other = await createImport(stranger.api, source.serve('/other', gives(rawDisk(64 * 1024, 2).bytes)));
  await awaitTask(stranger.api, other.id);
  t.deepEqual((await readdir(path.join(store, 'images'))).toSorted(), [`${id}.1`, `${other.id}.1`].toSorted());
  t.deepEqual(await readdir(path.join(store, 'staging')), ['stranger.1']);
});

test('a port that is taken is named', async (t) => {
  const { grpcAddress, httpUrl } = await startServer(t, await makeFolder(t));
  const grpcPort = grpcAddress.split(':')[1] ?? '';
  const httpPort = new URL(httpUrl).port;
  const [grpc, http] = await Promise.all([
    runProcess(serveArgs(await makeFolder(t), { 'grpc-port': grpcPort })),
    runProcess(serveArgs(await makeFolder(t), { 'http-port': httpPort })),
  ]);
  t.deepEqual([grpc.code, grpc.stdout, http.code, http.stdout], [1, '', 1, '']);
  t.regex(grpc.stderr, new RegExp(`^lehr serve: Cannot listen for gRPC on 127\\.0\\.0\\.1:${grpcPort}: .*EADDRINUSE`, 'm'));
  t.regex(http.stderr, new RegExp(`^lehr serve: Cannot listen for HTTP on 127\\.0\\.0\\.1, port ${httpPort}: .*EADDRINUSE`, 'm'));
});
