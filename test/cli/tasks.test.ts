import test from 'ava';

import { Task } from '../../src/gen/lehr/v1/task.ts';
import type { ListEventsRequest } from '../../src/gen/lehr/v1/event_service.ts';
import type { ListTasksRequest } from '../../src/gen/lehr/v1/task_service.ts';
import { canceledTask, createTime, failedTask, otherId, pendingTask, runningTask, succeededTask, taskEvent, taskId } from './fixtures.ts';
import { runLehr } from './run-lehr.ts';
import { Refusal, startStub } from './stub-server.ts';

/** Half an hour before now, so that its age is the same for the next half hour. */
const recently = new Date(Date.now() - 30.5 * 60_000);

test.serial('tasks list aligns its columns and shows what matters most about each task', async (t) => {
  const retried = Task.fromPartial({ ...failedTask, state: 'STATE_PENDING', retryTime: new Date(Date.now() + 90.5 * 60_000) });
  const tasks = [pendingTask, runningTask({ bytesDone: 1024n }), succeededTask, failedTask, retried, canceledTask]
    .map((task, index) => ({ ...task, id: `${index}${taskId.slice(1)}`, createTime: recently }));
  const stub = await startStub({ listTasks: () => ({ tasks: [...tasks, Task.fromPartial({ id: otherId, createTime: recently })], nextPageToken: '' }) });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['tasks', 'list', '--server', stub.address]), {
    exitCode: 0, stderr: '',
    stdout: [
      'ID                                    STATE        KIND    NAME  AGE      DETAIL',
      '0a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e  PENDING      import  web   30m ago',
      '1a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e  RUNNING      import  web   30m ago  fetch 25%',
      '2a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e  SUCCEEDED    import  web   30m ago  4.0 KiB',
      '3a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e  FAILED       import  web   30m ago  SOURCE_NOT_FOUND',
      '4a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e  PENDING      import  web   30m ago  SOURCE_NOT_FOUND, next attempt in 1h',
      '5a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e  CANCELED     import  web   30m ago',
      '11111111-2222-5333-8444-555555555555  UNSPECIFIED                30m ago',
      '',
    ].join('\n'),
  });
});

test.serial('tasks list turns its options into a filter and follows pages up to its limit', async (t) => {
  const requests: ListTasksRequest[] = [];
  const stub = await startStub({
    listTasks: (request) => {
      requests.push(request);
      return { tasks: Array.from({ length: Math.min(request.pageSize, 1_000) }, () => pendingTask), nextPageToken: `after ${requests.length}` };
    },
  });
  t.teardown(stub.kill);
  const ran = await runLehr([
    'tasks', 'list', '--state', 'running', '--kind', 'import', '--label', 'env=a "b" \\', '--label', 'a.b=c', '--filter', 'owner = "default"',
    '--order-by', 'create_time', '--limit', '1001', '--server', stub.address,
  ]);
  t.is(ran.stderr, 'there are more tasks: see them with --limit 10010\n');
  t.is(ran.stdout.split('\n').length, 1_001 + 2 * 1 + 1);
  const filter = 'state = STATE_RUNNING AND kind = "import" AND labels.env = "a \\"b\\" \\\\" AND labels."a.b" = "c" AND owner = "default"';
  t.deepEqual(requests, [
    { pageSize: 1_000, pageToken: '', filter, orderBy: 'create_time', readToken: '' },
    { pageSize: 1, pageToken: 'after 1', filter, orderBy: 'create_time', readToken: '' },
  ]);
});

test.serial('tasks list says when there is nothing', async (t) => {
  const stub = await startStub({ listTasks: () => ({ tasks: [], nextPageToken: '' }) });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['tasks', 'list', '--server', stub.address]), { exitCode: 0, stdout: '', stderr: 'no tasks\n' });
  t.deepEqual(await runLehr(['tasks', 'list', '--json', '--server', stub.address]), { exitCode: 0, stdout: '', stderr: '' });
});

test.serial('tasks list --json prints one object per line', async (t) => {
  const stub = await startStub({ listTasks: () => ({ tasks: [pendingTask, succeededTask], nextPageToken: '' }) });
  t.teardown(stub.kill);
  const ran = await runLehr(['--json', 'tasks', 'list', '--server', stub.address]);
  const printed = ran.stdout.trimEnd().split('\n').map((line) => JSON.parse(line) as { state: string });
  t.deepEqual(printed.map(({ state }) => state), ['STATE_PENDING', 'STATE_SUCCEEDED']);
});

test.serial('tasks show prints everything about a task that failed', async (t) => {
  const task: Task = { ...failedTask, createTime: recently, updateTime: undefined, endTime: undefined };
  task.failure!.metadata['hint'] = 'line\u001b[2J\nbreak';
  const stub = await startStub({ getTask: () => ({ task }) });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['tasks', 'show', taskId, '--server', stub.address]), {
    exitCode: 0, stderr: '',
    stdout: [
      `task        ${taskId}`,
      'state       FAILED',
      'kind        import',
      'source      https://example.com/disk.qcow2',
      'name        web',
      'labels      env=prod',
      'owner       default',
      'failure     SOURCE_NOT_FOUND in stage fetch',
      'message     https://example.com/disk.qcow2 answered 404.',
      'details     hint=line\\e[2J\\nbreak',
      '            http_status=404',
      'retryable   no',
      'what to do  Check the path.',
      'attempt     1',
      'revision    3',
      `created     ${recently.toISOString()} (30m ago)`,
      '',
    ].join('\n'),
  });
});

test.serial('tasks show of an unknown task exits with 3', async (t) => {
  const stub = await startStub({ getTask: ({ id }) => { throw new Refusal('NOT_FOUND', 'TASK_NOT_FOUND', `there is no task ${id}`); } });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['tasks', 'show', 'x', '--server', stub.address]), { exitCode: 3, stdout: '', stderr: 'lehr: there is no task x\n' });
});

test.serial('tasks show of an expired task points to its history', async (t) => {
  const stub = await startStub({ getTask: () => { throw new Refusal('NOT_FOUND', 'TASK_EXPIRED', 'task x has expired'); } });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['tasks', 'show', 'x', '--server', stub.address]), {
    exitCode: 3, stdout: '', stderr: 'lehr: task x has expired\nits events are still there: lehr tasks history ID\n',
  });
});

test.serial('tasks cancel tells a task that stops from one that has stopped', async (t) => {
  const stub = await startStub({ cancelTask: ({ id }) => ({ task: id === otherId ? canceledTask : { ...runningTask(), cancelRequested: true }, readToken: '' }) });
  t.teardown(stub.kill);
  const env = { LEHR_SERVER: stub.address };
  t.deepEqual(await runLehr(['tasks', 'cancel', taskId], { env }), {
    exitCode: 0, stderr: '', stdout: `task ${taskId} was asked to stop\nwatch it: lehr tasks watch ${taskId}\n`,
  });
  t.deepEqual(await runLehr(['tasks', 'cancel', otherId], { env }), { exitCode: 0, stderr: '', stdout: `task ${taskId} is canceled\n` });
});

test.serial('tasks cancel that comes too late exits with 4', async (t) => {
  const stub = await startStub({ cancelTask: () => { throw new Refusal('FAILED_PRECONDITION', 'TASK_ENDED', 'the task has ended'); } });
  t.teardown(stub.kill);
  const ran = await runLehr(['tasks', 'cancel', taskId, '--json', '--server', stub.address]);
  t.deepEqual(ran, { exitCode: 4, stdout: '', stderr: '{"error":{"code":"FAILED_PRECONDITION","reason":"TASK_ENDED","message":"the task has ended"}}\n' });
});

test.serial('tasks history prints each event on a line, page by page', async (t) => {
  const requests: ListEventsRequest[] = [];
  const pages = [
    [taskEvent(1n, { $case: 'taskCreated', value: { spec: pendingTask.spec, labels: { env: 'prod' }, ttl: undefined, requestId: '', fingerprint: Buffer.alloc(0) } }),
      taskEvent(2n, { $case: 'attemptStarted', value: { attempt: 1, node: 'node-1', incarnation: 'i' } })],
    [taskEvent(3n, { $case: 'attemptFailed', value: { attempt: 1, failure: failedTask.failure, retryTime: createTime } }),
      { ...taskEvent(4n, { $case: 'taskCanceled', value: { expireTime: undefined } }), type: 'lehr.v1.SomethingNew', payload: undefined }],
  ];
  const stub = await startStub({
    listEvents: (request) => {
      requests.push(request);
      return { events: pages[requests.length - 1] ?? [], nextPageToken: requests.length === 1 ? 'more' : '' };
    },
  });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['tasks', 'history', taskId, '--server', stub.address]), {
    exitCode: 0, stderr: '',
    stdout: [
      '  1  2026-01-02T03:04:06.678Z  TaskCreated      import https://example.com/disk.qcow2, env=prod',
      '  2  2026-01-02T03:04:07.678Z  AttemptStarted   attempt 1 on node-1',
      '  3  2026-01-02T03:04:08.678Z  AttemptFailed    attempt 1, SOURCE_NOT_FOUND: https://example.com/disk.qcow2 answered 404., next at 2026-01-02T03:04:05.678Z',
      '  4  2026-01-02T03:04:09.678Z  SomethingNew     of a kind that this command line does not know',
      '',
    ].join('\n'),
  });
  t.deepEqual(requests.map(({ subject, pageToken }) => [subject, pageToken]), [[`tasks/${taskId}`, ''], [`tasks/${taskId}`, 'more']]);
});
