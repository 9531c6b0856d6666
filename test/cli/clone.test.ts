import test from 'ava';
import type { ExecutionContext } from 'ava';

import type { CreateTaskRequest } from '../../src/gen/lehr/v1/task_service.ts';
import { pendingTask, taskId } from './fixtures.ts';
import { runLehr } from './run-lehr.ts';
import { startStub } from './stub-server.ts';
import type { StubServer } from './stub-server.ts';

const imageId = '018f0000-0000-7000-8000-000000000001';

const spec = (sourceRegion: string, name: string, tags: string[], properties: Record<string, string>): CreateTaskRequest['spec'] =>
  ({ kind: { $case: 'cloneImage', value: { sourceRegion, imageId, image: { name, tags, properties } } } });

/** What each command line asks for, beside its request id. */
const asked: readonly (readonly [args: readonly string[], request: Partial<CreateTaskRequest>])[] = [
  [[imageId], { spec: spec('', '', [], {}), labels: {}, ttl: undefined }],
  [['--from', 'dfw', imageId], { spec: spec('dfw', '', [], {}), labels: {}, ttl: undefined }],
  [
    [imageId, '--from', 'dfw', '--name', 'web', '--tag', 'x', '--tag', 'y', '--property', 'tier=gold', '--label', 'env=prod', '--ttl', '1h30m'],
    { spec: spec('dfw', 'web', ['x', 'y'], { tier: 'gold' }), labels: { env: 'prod' }, ttl: { seconds: 5_400n, nanos: 0 } },
  ],
];

/** A server that answers every request with the same task, and keeps what was asked. */
async function accepting(
  t: ExecutionContext, readToken: string,
): Promise<{ readonly requests: readonly CreateTaskRequest[]; readonly stub: StubServer }> {
  const requests: CreateTaskRequest[] = [];
  const stub = await startStub({
    createTask: (request) => {
      requests.push(request);
      return { task: pendingTask, readToken, preview: undefined };
    },
  });
  t.teardown(stub.kill);
  return { requests, stub };
}

test.serial('clone sends what was asked for, and prints the task', async (t) => {
  const { requests, stub } = await accepting(t, 'r');
  for (const [args, request] of asked) {
    const ran = await runLehr(['clone', ...args, '--request-id', 'once', '--server', stub.address]);
    t.deepEqual(ran, { exitCode: 0, stderr: '', stdout: `task ${taskId} accepted\nwatch it: lehr tasks watch ${taskId} --server ${stub.address}\n` });
    t.deepEqual(requests.at(-1), { ...request, requestId: 'once', validateOnly: false } as CreateTaskRequest);
  }
  await runLehr(['clone', imageId, '--json', '--server', stub.address]);
  t.regex(requests.at(-1)?.requestId ?? '', /^[0-9a-f-]{36}$/);
});

test.serial('clone with --validate-only says that the request is in order, and waits for nothing', async (t) => {
  const { requests, stub } = await accepting(t, '');
  const args = ['clone', '--from', 'dfw', imageId, '--validate-only', '--wait', '--server', stub.address];
  t.deepEqual(await runLehr(args), { exitCode: 0, stderr: '', stdout: 'the request is in order; nothing was accepted\n' });
  const ran = await runLehr([...args, '--json']);
  t.is((JSON.parse(ran.stdout) as { task: { id: string } }).task.id, taskId);
  t.deepEqual(requests.map(({ validateOnly }) => validateOnly), [true, true]);
});
