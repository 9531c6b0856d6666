import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';

import test from 'ava';

import { run } from './run.ts';

const root = path.resolve(import.meta.dirname, '../..');

/** Packing compiles everything, unless it has just been done. */
const PACK_TIMEOUT_MS = 180_000;

/** What a person's shell has: nothing that this run of npm set, and the system's Node before the project's. */
const plainEnvironment: NodeJS.ProcessEnv = Object.fromEntries(
  Object.entries({
    ...process.env,
    PATH: process.env['PATH']?.split(path.delimiter).filter((folder) => !folder.startsWith(root) && !folder.includes('node_modules')).join(path.delimiter),
  }).filter(([name]) => !/^(npm_(?!config_)|npm_config_local_prefix$|npm_config_prefix$|INIT_CWD$|NODE_|AVA_)/i.test(name)),
);

type Packed = { readonly filename: string; readonly files: readonly { readonly path: string }[] };
type Manifest = { readonly bin: Readonly<Record<string, string>>; readonly dependencies: Readonly<Record<string, string>> };

let folder: string;
let packed: Packed;

test.before(async (t) => {
  t.timeout(PACK_TIMEOUT_MS);
  folder = await mkdtemp(path.join(os.tmpdir(), 'lehr-pack-'));
  // A run of all tests has built what is packed a moment ago.
  const flags = process.env['TEST_LEHR'] === undefined ? [] : ['--ignore-scripts'];
  const [first] = JSON.parse(await run('npm', ['pack', '--json', ...flags, '--pack-destination', folder], root, process.env)) as Packed[];
  if (first === undefined) throw new Error('npm pack reported no tarball');
  packed = first;
  await install(path.join(folder, packed.filename), path.join(folder, 'consumer'));
});

/**
 * Installs a tarball as npm would, without a registry: with the packages of this checkout, and of these only the ones that the tarball's
 * own manifest names. What it imports beside them is not found.
 */
async function install(tarball: string, consumer: string): Promise<void> {
  const modules = path.join(consumer, 'node_modules');
  const installed = path.join(modules, 'lehr');
  await mkdir(installed, { recursive: true });
  await writeFile(path.join(consumer, 'package.json'), '{ "name": "consumer", "private": true, "type": "module" }');
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed], consumer, plainEnvironment);
  const { bin, dependencies } = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as Manifest;
  const link = async (target: string, name: string): Promise<void> => {
    await access(target);
    await mkdir(path.dirname(path.join(modules, name)), { recursive: true });
    await symlink(target, path.join(modules, name));
  };
  for (const name of Object.keys(dependencies)) await link(path.join(root, 'node_modules', name), name);
  for (const [name, file] of Object.entries(bin)) {
    await chmod(path.join(installed, file), 0o755);
    await link(path.join(installed, file), path.join('.bin', name));
  }
}

test.after.always(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('the tarball has code, types, SQL, descriptors, protos and the licence', (t) => {
  const names = new Set(packed.files.map((file) => file.path));
  const expected = [
    'LICENSE',
    'README.md',
    'bin/lehr.js',
    'dist/src/main.js',
    'dist/src/main.d.ts',
    'dist/command/main.js',
    'dist/command/pool-thread.js',
    'dist/command/LICENSES.txt',
    'dist/src/gen/descriptors.binpb',
    'dist/src/gen/lehr/v1/task.js',
    'dist/src/gen/lehr/v1/task.d.ts',
    'dist/projections/tasks/schema.sql',
    'proto/lehr/v1/task_service.proto',
    'proto/google/rpc/status.proto',
  ];
  t.deepEqual(expected.filter((name) => !names.has(name)), []);
});

test('packing compiles what is packed', async (t) => {
  const { scripts } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8')) as { readonly scripts: Readonly<Record<string, string>> };
  t.deepEqual([scripts['prepack'], scripts['build']], ['node scripts/build.ts', 'node scripts/build.ts']);
});

test('the tarball has nothing that only the checkout needs', (t) => {
  const wanted = /^(package\.json|LICENSE|README\.md|bin\/lehr\.js|proto\/.*\.proto|dist\/(src|projections)\/.*\.(js|d\.ts|sql|binpb)|dist\/command\/([\w-]+\.js|LICENSES\.txt))$/;
  t.deepEqual(packed.files.map((file) => file.path).filter((name) => !wanted.test(name)), []);
});

test('where it is installed, npx lehr answers', async (t) => {
  const help = await run('npx', ['--no-install', 'lehr', '--help'], path.join(folder, 'consumer'), plainEnvironment);
  t.regex(help, /^Usage: lehr /);
});

test('where it is installed, a program can import it', async (t) => {
  const consumer = path.join(folder, 'consumer');
  const code = 'const { startServer } = await import("lehr"); process.stdout.write(typeof startServer);';
  t.is(await run(process.execPath, ['--input-type=module', '-e', code], consumer, plainEnvironment), 'function');
});

test('where it is installed, its types are types', async (t) => {
  const consumer = path.join(folder, 'consumer');
  const code = [
    'import type { Task } from \'lehr/gen/lehr/v1/task\';',
    'export const id: Task[\'id\'] = \'a name\';',
    '// @ts-expect-error -- a task without anything is no task, unless the type was not found',
    'export const task: Task = {};',
  ];
  await writeFile(path.join(consumer, 'consumer.ts'), code.join('\n'));
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--module', 'nodenext'];
  await t.notThrowsAsync(run(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), ...flags, 'consumer.ts'], consumer, process.env));
});

test('where it is installed, lehr serve says where it listens, answers there and ends when it is told to', async (t) => {
  const consumer = path.join(folder, 'consumer');
  const bin = path.join(consumer, 'node_modules/.bin/lehr');
  await access(bin);
  const args = ['serve', '--http-port', '0', '--grpc-port', '0', '--data-dir', path.join(folder, 'data')];
  const server = spawn(bin, args, { cwd: consumer, env: plainEnvironment, stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = once(server, 'exit');
  try {
    let address: string | undefined;
    for await (const line of createInterface({ input: server.stdout })) {
      address = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
      if (address !== undefined) break;
    }
    if (address === undefined) throw new Error('lehr serve ended without a word about where it listens');
    server.stdout.resume();
    const health = await fetch(`${address}/healthz`);
    const tasks = await fetch(`${address}/lehr.v1.TaskService/ListTasks`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    t.deepEqual([health.status, tasks.status, await tasks.json()], [200, 200, {}]);
  } finally {
    server.kill('SIGTERM');
  }
  t.deepEqual(await exit, [0, null]);
});
