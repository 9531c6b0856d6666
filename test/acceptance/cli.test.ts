import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import test from 'ava';

import { digestOf, qcow2Disk, rawDisk } from './harness/disk-images.ts';
import { Gate } from './harness/gate.ts';
import { runProcess, startProcess } from './harness/lehr-process.ts';
import type { Ran } from './harness/lehr-process.ts';
import { makeFolder, startServer } from './harness/lehr-server.ts';
import type { LehrServer } from './harness/lehr-server.ts';
import { answers, gives, startSource } from './harness/source-server.ts';
import type { SourceServer } from './harness/source-server.ts';
import { awaitTask } from './harness/tasks.ts';
import { Teardowns } from './harness/teardowns.ts';

const image = qcow2Disk(512 * 1024, 1);
const shared = new Teardowns();
let source: SourceServer;
let server: LehrServer;
let roots: string;

test.before(async () => {
  source = await startSource(shared);
  roots = await makeFolder(shared);
  server = await startServer(shared, await makeFolder(shared), { 'file-roots': roots });
});

test.after.always(() => shared.run());

/** Runs a command against the server. */
const lehr = (...args: readonly string[]): Promise<Ran> =>
  runProcess([...args], { cwd: roots, env: { LEHR_SERVER: server.grpcAddress, LEHR_HTTP_SERVER: server.httpUrl } });

/** Of a command with `--json` that prints one object. */
function json({ stdout }: Ran): Record<string, unknown> {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;
}

test('an import is asked for, waited for, listed, shown, downloaded, renamed, verified and deleted by the command line', async (t) => {
  const url = source.serve('/disk.qcow2', gives(image.bytes));
  const imported = await lehr('import', url, '--name', 'web', '--label', 'env=prod', '--digest', image.digest, '--wait', '--json');
  t.is(imported.code, 0, imported.stderr);
  const { tasks } = await server.api.listTasks({ filter: 'labels.env = "prod"' });
  const id = tasks[0]!.id;
  t.like(tasks[0], { state: 'STATE_SUCCEEDED' });
  t.true(imported.stdout.includes(id));

  const listed = await lehr('tasks', 'list');
  t.is(listed.code, 0, listed.stderr);
  t.true(listed.stdout.includes(id));
  for (const args of [['tasks', 'show', id], ['tasks', 'history', id], ['images', 'show', id], ['images', 'list'], ['events']]) {
    const ran = await lehr(...args);
    t.is(ran.code, 0, ran.stderr);
    t.true(ran.stdout.includes(id) || ran.stdout.includes('TaskSucceeded'), args.join(' '));
  }

  const file = path.join(roots, 'downloaded.qcow2');
  const downloaded = await lehr('images', 'download', id, '--output', file);
  t.is(downloaded.code, 0, downloaded.stderr);
  t.is(digestOf(await readFile(file)), image.digest);

  t.is((await lehr('images', 'update', id, '--name', 'renamed')).code, 0);
  t.like(json(await lehr('images', 'show', id, '--json')), { id, name: 'renamed', digest: image.digest });
  const verified = await lehr('verify');
  t.is(verified.code, 0, verified.stdout);
  t.regex(verified.stdout, /the chain holds/);
  t.is((await lehr('images', 'delete', id)).code, 0);
  t.is((await lehr('images', 'show', id)).code, 3);
});

test('a file below a file root is imported by its path', async (t) => {
  await mkdir(path.join(roots, 'sub'), { recursive: true });
  const disk = rawDisk(128 * 1024, 2);
  await writeFile(path.join(roots, 'sub/disk.raw'), disk.bytes);
  const ran = await lehr('import', './sub/disk.raw', '--label', 'from=file', '--wait');
  t.is(ran.code, 0, ran.stderr);
  const { tasks } = await server.api.listTasks({ filter: 'labels.from = "file"' });
  t.is(tasks[0]?.result?.digest, disk.digest);
});

test('an import that fails says why, and the exit code is 1', async (t) => {
  const ran = await lehr('import', source.serve('/nothing', answers(404)), '--wait');
  t.is(ran.code, 1);
  t.regex(`${ran.stdout}${ran.stderr}`, /answered 404/);
});

test('a running import is watched and canceled', async (t) => {
  const gate = new Gate(image.bytes);
  const waiting = startProcess(['import', source.serve('/slow', gate.behaviour), '--label', 'kind=slow', '--wait'], {
    cwd: roots, env: { LEHR_SERVER: server.grpcAddress },
  });
  await gate.asked;
  const { tasks } = await server.api.listTasks({ filter: 'labels.kind = "slow"' });
  const id = tasks[0]!.id;
  const canceled = await lehr('tasks', 'cancel', id);
  t.is(canceled.code, 0, canceled.stderr);
  t.is((await awaitTask(server.api, id)).state, 'STATE_CANCELED');
  t.deepEqual(await waiting.ended, { code: 6, signal: null });
});

test('commands without a server say so, and the exit code is 5', async (t) => {
  const { code, stderr } = await runProcess(['tasks', 'list', '--server', '127.0.0.1:9'], { cwd: roots });
  t.is(code, 5);
  t.regex(stderr, /cannot reach the server at 127\.0\.0\.1:9/);
});
