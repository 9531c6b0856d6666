import { mkdtemp, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import test from 'ava';

import type { CreateTaskRequest } from '../../src/gen/lehr/v1/task_service.ts';
import { pendingTask, taskId } from './fixtures.ts';
import { runLehr } from './run-lehr.ts';
import { Refusal, startStub } from './stub-server.ts';
import type { StubServer } from './stub-server.ts';

const imageId = '018f0000-0000-7000-8000-000000000001';

async function acceptingStub(refusal?: Refusal): Promise<{ readonly requests: CreateTaskRequest[]; readonly stub: StubServer }> {
  const requests: CreateTaskRequest[] = [];
  const stub = await startStub({
    createTask: (request) => {
      requests.push(request);
      if (refusal !== undefined) throw refusal;
      return { task: pendingTask, readToken: 'r', preview: undefined };
    },
  });
  return { requests, stub };
}

const destinationOf = ({ spec }: CreateTaskRequest): string | undefined =>
  (spec?.kind?.$case === 'exportImage' ? spec.kind.value.destinationUri : undefined);

test.serial('export sends everything that was asked for and prints the task', async (t) => {
  const { requests, stub } = await acceptingStub();
  t.teardown(stub.kill);
  const ran = await runLehr([
    'export', imageId, 'https://files.example.com/web.qcow2?sig=1', '--label', 'env=prod', '--format', 'QCOW2', '--compression', 'zstd',
    '--credential', 'c', '--ttl', '1h30m', '--request-id', 'once', '--server', stub.address,
  ]);
  t.deepEqual(ran, { exitCode: 0, stderr: '', stdout: `task ${taskId} accepted\nwatch it: lehr tasks watch ${taskId} --server ${stub.address}\n` });
  t.deepEqual(requests, [{
    spec: {
      kind: {
        $case: 'exportImage',
        value: {
          imageId, destinationUri: 'https://files.example.com/web.qcow2?sig=1', format: 'DISK_FORMAT_QCOW2', compression: 'COMPRESSION_ZSTD',
          credential: 'c',
        },
      },
    },
    labels: { env: 'prod' }, requestId: 'once', ttl: { seconds: 5_400n, nanos: 0 }, validateOnly: false,
  }]);
});

test.serial('export turns a path into an absolute file URI, and explains file roots when that is refused', async (t) => {
  const refusal = new Refusal('INVALID_ARGUMENT', 'INVALID_REQUEST', 'spec.export_image.destination_uri: is below no file root', [
    { field: 'spec.export_image.destination_uri', description: 'is below no file root' },
  ]);
  const { requests, stub } = await acceptingStub(refusal);
  t.teardown(stub.kill);
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'lehr-cli-')));
  const ran = await runLehr(['export', imageId, './a disk.raw', '--format', 'raw', '--server', stub.address], { cwd: folder });
  t.deepEqual(requests.map(destinationOf), [pathToFileURL(path.join(folder, 'a disk.raw')).href]);
  t.is(ran.exitCode, 2);
  t.regex(ran.stderr, /the server writes files only below its file roots: start it with `lehr serve --file-roots FOLDER`\n$/);
});

test.serial('export with --validate-only says that the request is in order, and as JSON what task it would be', async (t) => {
  const { requests, stub } = await acceptingStub();
  t.teardown(stub.kill);
  const args = ['export', imageId, 'https://files.example.com/web.qcow2', '--validate-only', '--server', stub.address];
  t.deepEqual(await runLehr(args), { exitCode: 0, stderr: '', stdout: 'the request is in order; nothing was accepted\n' });
  const ran = await runLehr([...args, '--json']);
  t.is((JSON.parse(ran.stdout) as { task: { id: string } }).task.id, taskId);
  t.deepEqual(requests.map(({ validateOnly }) => validateOnly), [true, true]);
});

const wrong: readonly (readonly [what: string, args: readonly string[], message: RegExp])[] = [
  ['no destination', [imageId], /missing required argument/],
  ['an empty destination', [imageId, ''], /DESTINATION must not be empty/],
  ['a folder', [imageId, tmpdir()], /is a folder; name the file/],
  ['an unknown compression', [imageId, './x', '--compression', 'lzma'], /Choose from none, zlib, zstd/],
  ['an unknown format', [imageId, './x', '--format', 'floppy'], /Choose from raw, qcow2/],
];
for (const [what, args, message] of wrong) {
  test.serial(`export refuses ${what} as wrong usage`, async (t) => {
    const ran = await runLehr(['export', ...args]);
    t.is(ran.exitCode, 2);
    t.regex(ran.stderr, message);
  });
}
