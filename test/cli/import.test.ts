import { mkdtemp, realpath, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import test from 'ava';

import type { CreateTaskRequest, ImportPreview } from '../../src/gen/lehr/v1/task_service.ts';
import { pendingTask, taskId } from './fixtures.ts';
import { runLehr } from './run-lehr.ts';
import { Refusal, startStub } from './stub-server.ts';
import type { StubServer } from './stub-server.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A server that keeps the requests and accepts them, after refusing as often as there are refusals. */
async function acceptingStub(
  preview?: ImportPreview,
  ...refusals: readonly Refusal[]
): Promise<{ readonly requests: CreateTaskRequest[]; readonly stub: StubServer }> {
  const requests: CreateTaskRequest[] = [];
  const stub = await startStub({
    createTask: (request) => {
      requests.push(request);
      const refusal = refusals[requests.length - 1];
      if (refusal !== undefined) throw refusal;
      return { task: pendingTask, readToken: 'r', preview };
    },
  });
  return { requests, stub };
}

test.serial('import sends everything that was asked for and prints the task', async (t) => {
  const { requests, stub } = await acceptingStub();
  t.teardown(stub.kill);
  const ran = await runLehr([
    'import', 'https://example.com/a/disk.qcow2?sig=1', '--name', 'web', '--label', 'env=prod', '--label', 'note=a=b', '--tag', 'x', '--tag', 'y',
    '--property', 'os_distro=debian', '--digest', 'sha256:00', '--format', 'QCOW2', '--store-format', 'raw', '--credential', 'c', '--ttl', '1h30m',
    '--request-id', 'once', '--server', stub.address,
  ]);
  t.deepEqual(ran, { exitCode: 0, stderr: '', stdout: `task ${taskId} accepted\nwatch it: lehr tasks watch ${taskId} --server ${stub.address}\n` });
  t.deepEqual(requests, [{
    spec: {
      kind: {
        $case: 'importImage',
        value: {
          sourceUri: 'https://example.com/a/disk.qcow2?sig=1', sourceFormat: 'DISK_FORMAT_QCOW2', expectedDigest: 'sha256:00', storeFormat: 'DISK_FORMAT_RAW',
          image: { name: 'web', tags: ['x', 'y'], properties: { os_distro: 'debian' } }, credential: 'c',
        },
      },
    },
    labels: { env: 'prod', note: 'a=b' }, requestId: 'once', ttl: { seconds: 5_400n, nanos: 0 }, validateOnly: false,
  }]);
});

test.serial('import makes a request id and a name by itself, and --json prints the task', async (t) => {
  const { requests, stub } = await acceptingStub();
  t.teardown(stub.kill);
  const ran = await runLehr(['import', 'https://example.com/a/debian%2012.qcow2', '--json'], { env: { LEHR_SERVER: stub.address } });
  t.deepEqual(JSON.parse(ran.stdout), {
    id: taskId, state: 'STATE_PENDING', owner: 'default', labels: { env: 'prod' }, revision: '1',
    spec: { importImage: { sourceUri: 'https://example.com/disk.qcow2', image: { name: 'web' } } },
    createTime: '2026-01-02T03:04:05.678Z', updateTime: '2026-01-02T03:04:05.678Z',
  });
  t.deepEqual([ran.exitCode, ran.stderr], [0, '']);
  const [request] = requests;
  t.regex(request?.requestId ?? '', uuid);
  t.is(request?.spec?.kind?.$case === 'importImage' && request.spec.kind.value.image?.name, 'debian 12.qcow2');
});

test.serial('import asks again under the same request id while the server is unavailable', async (t) => {
  const busy = new Refusal('UNAVAILABLE', 'SERVER_STOPPING', 'the server stops');
  const { requests, stub } = await acceptingStub(undefined, busy, busy);
  t.teardown(stub.kill);
  const ran = await runLehr(['import', 'https://example.com/disk.qcow2', '--server', stub.address]);
  t.is(ran.exitCode, 0);
  t.is(ran.stderr, 'lehr: the server stops; trying again\n');
  t.deepEqual(requests.map(({ requestId }) => requestId), Array.from({ length: 3 }, () => requests[0]?.requestId));
});

test.serial('import gives up after five tries and says how to ask again without making a second task', async (t) => {
  const busy = new Refusal('UNAVAILABLE', 'SERVER_STOPPING', 'the server stops');
  const { requests, stub } = await acceptingStub(undefined, busy, busy, busy, busy, busy);
  t.teardown(stub.kill);
  const ran = await runLehr(['import', 'https://example.com/disk.qcow2', '--request-id', 'once', '--server', stub.address]);
  t.is(requests.length, 5);
  t.deepEqual(ran, {
    exitCode: 5, stdout: '',
    stderr: 'lehr: the server stops; trying again\nlehr: the server stops\ntry again in a moment\n' +
      'the task may have been accepted; to ask again without making a second one, add --request-id once\n',
  });
});

test.serial('import does not ask again after a refusal, and prints each violation', async (t) => {
  const { requests, stub } = await acceptingStub(undefined, new Refusal('INVALID_ARGUMENT', 'INVALID_REQUEST', 'labels: too many (and 1 more)', [
    { field: 'labels', description: 'too many' }, { field: 'ttl', description: 'too \x1b[31mlong\n' },
  ]));
  t.teardown(stub.kill);
  const ran = await runLehr(['import', 'https://example.com/disk.qcow2', '--server', stub.address]);
  t.is(requests.length, 1);
  t.deepEqual(ran, {
    exitCode: 2, stdout: '',
    stderr: 'lehr: labels: too many (and 1 more)\n  labels: too many\n  ttl: too \\e[31mlong\\n\n',
  });
});

test.serial('import turns a path into an absolute file URI, and explains file roots when that is refused', async (t) => {
  const refusal = new Refusal('INVALID_ARGUMENT', 'INVALID_REQUEST', 'spec.import_image.source_uri: is below no file root', [
    { field: 'spec.import_image.source_uri', description: 'is below no file root' },
  ]);
  const { requests, stub } = await acceptingStub(undefined, refusal);
  t.teardown(stub.kill);
  const folder = await realpath(await mkdtemp(path.join(tmpdir(), 'lehr-cli-')));
  await writeFile(path.join(folder, 'a disk.raw'), 'x');
  const ran = await runLehr(['import', './a disk.raw', '--server', stub.address], { cwd: folder });
  t.deepEqual(requests.map(({ spec }) => spec?.kind?.$case === 'importImage' && spec.kind.value.sourceUri), [
    pathToFileURL(path.join(folder, 'a disk.raw')).href,
  ]);
  t.deepEqual(ran, {
    exitCode: 2, stdout: '',
    stderr: 'lehr: spec.import_image.source_uri: is below no file root\n' +
      'the server reads files only below its file roots: start it with `lehr serve --file-roots FOLDER`\n',
  });
});

test.serial('import says at once that a file does not exist', async (t) => {
  const ran = await runLehr(['import', '/nowhere/disk.raw']);
  t.deepEqual(ran, {
    exitCode: 3, stdout: '',
    stderr: 'lehr: there is no file /nowhere/disk.raw on this machine\na file that only the server sees is named by its URI: file:///absolute/path\n',
  });
});

const previews: readonly (readonly [name: string, preview: ImportPreview | undefined, exitCode: number, stdout: string])[] = [
  ['nothing is looked at', undefined, 0, 'valid: the server would accept this import\n'],
  ['a sound image', {
    depth: 'DEPTH_TABLES', failure: undefined, format: 'DISK_FORMAT_QCOW2', sizeBytes: 196_768n, virtualSizeBytes: 1n << 30n, warnings: [], facts: { qcow2_version: '3' },
  }, 0, `valid: the server would accept this import, and nothing was found that speaks against it
format     qcow2
size       192.2 KiB (196768 bytes)
disk size  1.0 GiB (1073741824 bytes)
facts      qcow2_version=3
judged     its headers, its tables and the beginning of the guest's disk
`],
  ['a page', {
    depth: 'DEPTH_HEAD', format: 'DISK_FORMAT_UNSPECIFIED', sizeBytes: 0n, virtualSizeBytes: 0n, warnings: [], facts: {},
    failure: { reason: 'REASON_NOT_A_DISK_IMAGE', stage: '', message: 'HTML page.', metadata: { check: 'content.not_a_disk' }, retryable: false },
  }, 1, `the server would accept this import, and it would fail
failure     NOT_A_DISK_IMAGE
message     HTML page.
details     check=content.not_a_disk
retryable   no
what to do  Check that the address leads to the image itself.
judged      its first bytes
`],
];

for (const [name, preview, exitCode, stdout] of previews) {
  test.serial(`import --validate-only accepts nothing, waits for nothing and tells what was found: ${name}`, async (t) => {
    const { requests, stub } = await acceptingStub(preview);
    t.teardown(stub.kill);
    const ran = await runLehr(['import', 'https://example.com/disk.qcow2', '--validate-only', '--wait', '--server', stub.address]);
    t.deepEqual(ran, { exitCode, stderr: '', stdout });
    t.deepEqual(requests.map(({ validateOnly }) => validateOnly), [true]);
  });
}
