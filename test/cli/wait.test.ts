import { once } from 'node:events';

import test from 'ava';

import type { Task } from '../../src/gen/lehr/v1/task.ts';
import { canceledTask, digest, failedTask, otherId, pendingTask, runningTask, succeededTask, taskId } from './fixtures.ts';
import { runLehr, startLehr } from './run-lehr.ts';
import { Refusal, startStub } from './stub-server.ts';
import { watchesByHand } from './watched-task.ts';

const source = 'https://example.com/disk.qcow2';
const createTask = (): { readonly task: Task; readonly readToken: string; readonly preview: undefined } => ({ task: pendingTask, readToken: 'r', preview: undefined });

const succeeded = [
  `import ${taskId} (web) succeeded`,
  `  result  image ${taskId}`,
  '  format  qcow2',
  '  size    4.0 KiB (4096 bytes)',
  `  digest  ${digest}`,
  '',
].join('\n');

test.serial('--wait prints a line for each stage when piped, and ends with the task', async (t) => {
  const watches = watchesByHand();
  const stub = await startStub({ createTask, watchTasks: watches.watchTasks });
  t.teardown(stub.kill);
  const ended = runLehr(['import', source, '--wait', '--server', stub.address]);
  const watch = await watches.next();
  watch.send(
    { $case: 'snapshot', value: pendingTask },
    { $case: 'snapshotEnd', value: { resumeToken: 'a' } },
    { $case: 'change', value: runningTask() },
    { $case: 'progress', value: { id: taskId, progress: { stage: 'fetch', bytesDone: 1024n, bytesTotal: 4096n, bytesPerSecond: 512n } } },
    { $case: 'change', value: { ...failedTask, id: otherId } },
    { $case: 'progress', value: { id: taskId, progress: { stage: 'store', bytesDone: 1024n, bytesTotal: 4096n, bytesPerSecond: 512n } } },
    { $case: 'change', value: succeededTask },
  );
  t.deepEqual(await ended, {
    exitCode: 0, stderr: '',
    stdout: `task ${taskId} accepted\nwaiting to start\nfetch: 0%, 0 B of 4.0 KiB\n` +
      `store: 25%, 1.0 KiB of 4.0 KiB, 512 B/s, 0:06 left\n${succeeded}`,
  });
  t.deepEqual(watch.request, { filter: `id = "${taskId}"`, resumeToken: '' });
});

const failed = [
  `import ${taskId} (web) failed`,
  '  failure     SOURCE_NOT_FOUND in stage fetch',
  '  message     https://example.com/disk.qcow2 answered 404.',
  '  details     http_status=404',
  '  retryable   no',
  '  what to do  Check the path.',
];

const ends: readonly (readonly [name: string, task: Task, exitCode: number, lines: (address: string) => readonly string[]])[] = [
  ['a task that fails', failedTask, 1, (address) => [...failed, `  lehr tasks history ${taskId} --server ${address} tells the whole story`]],
  ['a task that is canceled', canceledTask, 6, () => [`import ${taskId} (web) was canceled`]],
];

for (const [name, task, exitCode, lines] of ends) {
  test.serial(`--wait tells of ${name}`, async (t) => {
    const watches = watchesByHand();
    const stub = await startStub({ createTask, watchTasks: watches.watchTasks });
    t.teardown(stub.kill);
    const ended = runLehr(['import', source, '--wait', '--server', stub.address]);
    (await watches.next()).send({ $case: 'snapshot', value: task });
    t.deepEqual(await ended, {
      exitCode, stderr: '', stdout: [`task ${taskId} accepted`, 'waiting to start', ...lines(stub.address), ''].join('\n'),
    });
  });
}

test.serial('--wait --json prints the task once, when it has ended', async (t) => {
  const watches = watchesByHand();
  const stub = await startStub({ createTask, watchTasks: watches.watchTasks });
  t.teardown(stub.kill);
  const ended = runLehr(['import', source, '--wait', '--json', '--server', stub.address]);
  (await watches.next()).send({ $case: 'snapshot', value: runningTask() }, { $case: 'change', value: succeededTask });
  const ran = await ended;
  t.deepEqual([ran.exitCode, ran.stderr], [0, '']);
  t.deepEqual(JSON.parse(ran.stdout).result, { imageId: taskId, digest, sizeBytes: '4096', format: 'DISK_FORMAT_QCOW2' });
});

test.serial('--wait goes on from its bookmark when the server is killed and comes back', async (t) => {
  const watches = watchesByHand();
  const first = await startStub({ createTask, watchTasks: watches.watchTasks });
  const lehr = startLehr(['import', source, '--wait', '--server', first.address]);
  (await watches.next()).send(
    { $case: 'snapshot', value: runningTask() },
    { $case: 'snapshotEnd', value: { resumeToken: 'a' } },
    { $case: 'bookmark', value: { resumeToken: 'b' } },
    { $case: 'progress', value: { id: taskId, progress: { stage: 'inspect', bytesDone: 0n, bytesTotal: 0n, bytesPerSecond: 0n } } },
  );
  await lehr.untilPrinted('inspect\n');
  first.kill();
  const second = await startStub({ watchTasks: watches.watchTasks }, first.port);
  t.teardown(second.kill);
  const resumed = await watches.next();
  resumed.send({ $case: 'change', value: succeededTask });
  t.deepEqual(await lehr.ended, {
    exitCode: 0, stderr: '',
    stdout: `task ${taskId} accepted\nwaiting to start\nfetch: 0%, 0 B of 4.0 KiB\ninspect\n` +
      `lehr: the connection to the server was lost; trying again\n${succeeded}`,
  });
  t.is(resumed.request.resumeToken, 'b');
});

test.serial('--wait goes on when the server lets its watchers go', async (t) => {
  const watches = watchesByHand();
  const stub = await startStub({ createTask, watchTasks: watches.watchTasks });
  t.teardown(stub.kill);
  const ended = runLehr(['import', source, '--wait', '--server', stub.address]);
  const first = await watches.next();
  first.send({ $case: 'snapshot', value: runningTask() }, { $case: 'bookmark', value: { resumeToken: 'b' } });
  first.call.emit('error', new Refusal('UNAVAILABLE', 'WATCH_TOO_SLOW', 'too slow').toStatus());
  const second = await watches.next();
  t.is(second.request.resumeToken, 'b');
  second.call.end();
  const third = await watches.next();
  t.is(third.request.resumeToken, 'b');
  third.send({ $case: 'change', value: succeededTask });
  t.is((await ended).exitCode, 0);
});

const interruptions: readonly (readonly [signal: NodeJS.Signals, exitCode: number, why: string])[] = [
  ['SIGINT', 130, 'interrupted'],
  ['SIGTERM', 143, 'ended by SIGTERM'],
];

for (const [signal, exitCode, why] of interruptions) {
  test.serial(`${signal} ends the wait but not the task`, async (t) => {
    const watches = watchesByHand();
    const stub = await startStub({ createTask, watchTasks: watches.watchTasks });
    t.teardown(stub.kill);
    const lehr = startLehr(['import', source, '--wait', '--server', stub.address]);
    const watch = await watches.next();
    watch.send({ $case: 'snapshot', value: runningTask() });
    await lehr.untilPrinted('fetch');
    const hungUp = once(watch.call, 'cancelled');
    lehr.child.kill(signal);
    t.deepEqual(await lehr.ended, {
      exitCode, stdout: `task ${taskId} accepted\nwaiting to start\nfetch: 0%, 0 B of 4.0 KiB\n`,
      stderr: `lehr: stopped waiting (${why}); task ${taskId} goes on\n` +
        `watch it:  lehr tasks watch ${taskId} --server ${stub.address}\ncancel it: lehr tasks cancel ${taskId} --server ${stub.address}\n`,
    });
    await hungUp;
  });
}

test.serial('tasks watch ID follows a task to its end', async (t) => {
  const watches = watchesByHand();
  const stub = await startStub({ getTask: () => ({ task: runningTask() }), watchTasks: watches.watchTasks });
  t.teardown(stub.kill);
  const ended = runLehr(['tasks', 'watch', taskId, '--server', stub.address]);
  (await watches.next()).send({ $case: 'change', value: { ...runningTask(), cancelRequested: true } }, { $case: 'change', value: canceledTask });
  t.deepEqual(await ended, { exitCode: 6, stderr: '', stdout: `fetch: 0%, 0 B of 4.0 KiB\nstopping\nimport ${taskId} (web) was canceled\n` });
});

test.serial('tasks watch ID of a task that has ended says so at once', async (t) => {
  const stub = await startStub({ getTask: () => ({ task: succeededTask }) });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['tasks', 'watch', taskId, '--server', stub.address]), { exitCode: 0, stderr: '', stdout: succeeded });
});

test.serial('tasks watch ID of a task that expires meanwhile points to its history', async (t) => {
  const watches = watchesByHand();
  const stub = await startStub({ getTask: () => ({ task: runningTask() }), watchTasks: watches.watchTasks });
  t.teardown(stub.kill);
  const ended = runLehr(['tasks', 'watch', taskId, '--server', stub.address]);
  (await watches.next()).send({ $case: 'removed', value: { id: otherId } }, { $case: 'removed', value: { id: taskId } });
  t.deepEqual(await ended, {
    exitCode: 3, stdout: 'fetch: 0%, 0 B of 4.0 KiB\n',
    stderr: `lehr: task ${taskId} ended and has expired meanwhile\nits events are still there: lehr tasks history ${taskId}\n`,
  });
});

test.serial('tasks watch without an id prints every change until it is interrupted', async (t) => {
  const watches = watchesByHand();
  const stub = await startStub({ watchTasks: watches.watchTasks });
  t.teardown(stub.kill);
  const lehr = startLehr(['tasks', 'watch', '--filter', 'kind = "import"', '--server', stub.address]);
  const watch = await watches.next();
  t.deepEqual(watch.request, { filter: 'kind = "import"', resumeToken: '' });
  watch.send(
    { $case: 'snapshot', value: pendingTask }, { $case: 'snapshotEnd', value: { resumeToken: 'a' } },
    { $case: 'progress', value: { id: taskId, progress: undefined } },
    { $case: 'change', value: { ...failedTask, id: otherId } }, { $case: 'removed', value: { id: otherId } },
  );
  await lehr.untilPrinted('gone');
  lehr.child.kill('SIGINT');
  t.deepEqual(await lehr.ended, {
    exitCode: 130, stderr: 'lehr: interrupted\n',
    stdout: [
      `${taskId}  2026-01-02T03:04:05.678Z  PENDING    import  web  waiting to start`,
      `${otherId}  2026-01-02T03:04:05.678Z  FAILED     import  web  SOURCE_NOT_FOUND`,
      `${otherId}  gone`,
      '',
    ].join('\n'),
  });
});
