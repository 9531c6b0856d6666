import test from 'ava';
import { failure, FailureError } from '../../src/domain/failures.ts';
import type { TaskCommand } from '../../src/domain/task/task-command.ts';
import type { StageRun } from '../../src/stages/stage.ts';
import { AttemptOverError } from '../../src/worker/attempt-over.ts';
import type { RunningAttempt } from '../../src/worker/running-attempt.ts';
import { cancel, confirmCancel, expire, start, stored, taskId, ttlSeconds } from '../domain/task-fixtures.ts';
import { stageTimeoutMs, workerBench } from './bench.ts';

const ids = Array.from({ length: 4 }, (_, index) => `00000000-0000-4000-8000-00000000000${index}`);

/** A stage that never ends by itself. */
const untilStopped = ({ signal }: StageRun): Promise<never> => new Promise((_, reject) => {
  signal.addEventListener('abort', () => { reject(signal.reason as Error); });
});

const { attempt: _, ...storedImage } = stored(1);

async function succeed(attempt: RunningAttempt): Promise<void> {
  await attempt.stage('fetch', async () => 7, (bytes) => ({ bytes: BigInt(bytes) }));
  await attempt.lastStage('store', async () => undefined);
  await attempt.commit({ ...storedImage, file: `${attempt.taskId}.${attempt.number}` });
}

test('a task is carried to its end: its image is registered before it succeeds', async (t) => {
  const { begin, clock, events, log, asked } = workerBench(succeed);
  await begin(taskId);
  await clock.pass(1);
  t.deepEqual(events(taskId), ['TaskCreated', 'AttemptStarted', 'StageCompleted', 'ImageStored', 'TaskSucceeded']);
  t.deepEqual(log.records.slice(-2).map(({ record: { headers } }) => headers.ce_subject), [`images/${taskId}`, `tasks/${taskId}`]);
  t.deepEqual(asked, []);
});

test('no more tasks run at once than there are transfers, and the next begins when one ends', async (t) => {
  const gates = new Map(ids.map((id) => [id, Promise.withResolvers<void>()]));
  const { begin, clock, worker, events } = workerBench(async (attempt) => {
    await attempt.stage('fetch', () => gates.get(attempt.taskId)!.promise, () => ({}));
    await succeed(attempt);
  });
  for (const id of ids) await begin(id);
  const started = (): string[] => ids.filter((id) => events(id).includes('AttemptStarted'));
  await clock.pass(1);
  t.deepEqual(started(), ids.slice(0, 2));
  t.is(worker.runningCount, 2);
  gates.get(ids[0]!)!.resolve();
  await clock.pass(1);
  t.deepEqual(started(), ids.slice(0, 3));
});

test('a job for a task that runs here changes nothing', async (t) => {
  const { begin, clock, queue, events, worker } = workerBench((attempt) => attempt.lastStage('fetch', untilStopped));
  await begin(taskId);
  await clock.pass(1);
  for (let again = 0; again < 3; again += 1) {
    queue.offer(taskId);
    await clock.pass(1);
  }
  t.deepEqual(events(taskId), ['TaskCreated', 'AttemptStarted']);
  t.is(worker.runningCount, 1);
});

test('a stage that takes too long is stopped, and fails the attempt with its name', async (t) => {
  const { begin, clock, tasks, asked } = workerBench((attempt) => attempt.lastStage('fetch', untilStopped));
  await begin(taskId);
  await clock.pass(stageTimeoutMs - 1);
  t.is(tasks.peek(taskId).status, 'running');
  await clock.pass(2);
  t.like(tasks.peek(taskId), { status: 'pending', failure: { reason: 'REASON_DEADLINE_EXCEEDED', stage: 'fetch', retryable: true } });
  // What it staged is for the next attempt.
  t.deepEqual(asked, []);
});

test('an attempt for which the store is full leaves nothing in it until the next one', async (t) => {
  const { begin, clock, tasks, asked } = workerBench((attempt) => attempt.lastStage('fetch', async () => {
    throw new FailureError(failure('STORE_FULL', 'No room.'));
  }));
  await begin(taskId);
  await clock.pass(1);
  t.like(tasks.peek(taskId), { status: 'pending', failure: { reason: 'REASON_STORE_FULL' } });
  // Nothing of the next one, which may have begun by then.
  t.deepEqual(asked, [`discardEarlier ${taskId} 2`]);
});

test('a failure is kept with the stage in which it came; one that will not pass ends the task', async (t) => {
  const { begin, clock, tasks, asked } = workerBench((attempt) => attempt.lastStage('inspect', async () => {
    throw new FailureError(failure('NOT_A_DISK_IMAGE', 'It is a JPEG.'));
  }));
  await begin(taskId);
  await clock.pass(1);
  t.like(tasks.peek(taskId), { status: 'failed', failure: { reason: 'REASON_NOT_A_DISK_IMAGE', stage: 'inspect', message: 'It is a JPEG.' } });
  t.deepEqual(asked, [`discardStaging ${taskId}`, `remove ${taskId}.1`]);
});

test('a bug is told to the operator with all it says, and to the owner only as an incident', async (t) => {
  const bug = new TypeError('the password is hunter2');
  const { begin, clock, tasks, said } = workerBench((attempt) => attempt.lastStage('fetch', async () => { throw bug; }));
  await begin(taskId);
  await clock.pass(1);
  const state = tasks.peek(taskId);
  t.like(state, { status: 'pending', failure: { reason: 'REASON_WORKER_FAULT', stage: 'fetch' } });
  t.notRegex(JSON.stringify(state, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)), /hunter2/);
  t.like(said[0], { level: 'error', fields: { task_id: taskId, stage: 'fetch', err: bug } });
  t.is(state.status === 'pending' ? state.failure?.metadata['incident'] : '', said[0]?.fields['incident'] as string);
});

test('a cancel stops the running stage at once and ends the task', async (t) => {
  const { begin, clock, tasks, tell, events, asked } = workerBench((attempt) => attempt.lastStage('fetch', untilStopped));
  await begin(taskId);
  await clock.pass(1);
  await tasks.execute(taskId, cancel(1));
  await tell();
  await clock.pass(1);
  t.deepEqual(events(taskId), ['TaskCreated', 'AttemptStarted', 'CancelRequested', 'TaskCanceled']);
  t.deepEqual(asked, [`discardStaging ${taskId}`, `remove ${taskId}.1`]);
});

test('what a task has staged that is canceled while it waits for another attempt is removed with the job for that', async (t) => {
  const { begin, clock, queue, tasks, asked } = workerBench((attempt) => attempt.lastStage('fetch', async () => {
    throw new FailureError(failure('SOURCE_TRUNCATED', 'It broke off.'));
  }));
  await begin(taskId);
  await clock.pass(1);
  await tasks.execute(taskId, cancel(1));
  t.like(tasks.peek(taskId), { status: 'canceled' });
  t.deepEqual(asked, []);
  queue.offer(taskId);
  await clock.pass(1);
  t.deepEqual(asked, [`discardStaging ${taskId}`, `remove ${taskId}.1`]);
});

test('a cancel that nobody has heard of yet wins all the same, before the point of no return', async (t) => {
  const published = Promise.withResolvers<void>();
  const { begin, clock, tasks, events } = workerBench(async (attempt) => {
    await attempt.lastStage('store', () => published.promise);
    await attempt.commit({ ...storedImage, file: `${taskId}.1` });
  });
  await begin(taskId);
  await clock.pass(1);
  await tasks.execute(taskId, cancel(1));
  published.resolve();
  await clock.pass(1);
  t.deepEqual(events(taskId), ['TaskCreated', 'AttemptStarted', 'CancelRequested', 'TaskCanceled']);
});

test('an attempt that was declared dead stops at once, and appends nothing more', async (t) => {
  const reasons: unknown[] = [];
  const { begin, clock, tasks, tell, events } = workerBench((attempt) => attempt.lastStage('fetch', async (run) => {
    run.signal.addEventListener('abort', () => reasons.push(run.signal.reason));
    return untilStopped(run);
  }));
  await begin(taskId);
  await clock.pass(1);
  await tasks.execute(taskId, { type: 'expireAttempt', stageTimeoutMs, attemptLimit: 1, now: start(10_000_000).now });
  await tell();
  await clock.pass(1);
  t.deepEqual(reasons, [new AttemptOverError('superseded')]);
  t.deepEqual(events(taskId), ['TaskCreated', 'AttemptStarted', 'TaskFailed']);
});

test('an attempt whose event may or may not have landed is taken up again later, and nothing is claimed meanwhile', async (t) => {
  const { begin, clock, log, events, said } = workerBench(succeed);
  log.beforeAppend = async () => (log.sent.length === 3 ? { kind: 'unknown', cause: undefined } : undefined);
  await begin(taskId);
  await clock.pass(4_000);
  t.deepEqual(events(taskId), ['TaskCreated', 'AttemptStarted']);
  t.like(said[0], { level: 'warn', fields: { task_id: taskId } });
  await clock.pass(2_000);
  t.deepEqual(events(taskId).slice(2), ['AttemptStarted', 'StageCompleted', 'ImageStored', 'TaskSucceeded']);
});

test('a job for a committed task finishes it without an attempt', async (t) => {
  const { begin, clock, log, queue, events } = workerBench(succeed);
  log.beforeAppend = async () => (log.sent.length === 5 ? { kind: 'unknown', cause: undefined } : undefined);
  await begin(taskId);
  await clock.pass(1);
  t.is(events(taskId).at(-1), 'ImageStored');
  queue.offer(taskId);
  await clock.pass(1);
  t.is(events(taskId).at(-1), 'TaskSucceeded');
  t.is(events(taskId).filter((type) => type === 'AttemptStarted').length, 1);
});

test('a shutdown takes no more jobs, gives attempts their grace and hands back those that need longer', async (t) => {
  const gates = new Map(ids.map((id) => [id, Promise.withResolvers<void>()]));
  const { begin, clock, worker, queue, events } = workerBench(async (attempt) => {
    await attempt.stage('fetch', (run) => Promise.race([gates.get(attempt.taskId)!.promise, untilStopped(run)]), () => ({}));
    await succeed(attempt);
  });
  for (const id of ids.slice(0, 2)) await begin(id);
  await clock.pass(1);
  let stopped = false;
  void worker.stop(5_000).then(() => { stopped = true; });
  queue.offer(ids[2]!);
  gates.get(ids[0]!)!.resolve();
  await clock.pass(4_999);
  t.false(stopped);
  t.is(events(ids[0]!).at(-1), 'TaskSucceeded');
  await clock.pass(2);
  t.true(stopped);
  t.deepEqual(events(ids[1]!), ['TaskCreated', 'AttemptStarted']);
  t.deepEqual(events(ids[2]!), []);
});

test('an attempt that begins only when the grace of a shutdown is over ends at once', async (t) => {
  const held = Promise.withResolvers<void>();
  const { begin, clock, worker, log, events } = workerBench((attempt) => attempt.lastStage('fetch', untilStopped));
  log.beforeAppend = async () => {
    if (log.sent.length === 2) await held.promise;
    return undefined;
  };
  await begin(taskId);
  await clock.pass(1);
  const stopping = worker.stop(5_000);
  await clock.pass(6_000);
  held.resolve();
  await stopping;
  t.deepEqual(events(taskId), ['TaskCreated', 'AttemptStarted']);
});

test('progress is told at most four times a second, with a rate, and its end once', async (t) => {
  const { begin, clock, signals } = workerBench(async (attempt) => {
    await attempt.lastStage('fetch', async (run) => {
      for (let step = 1; step <= 1_000; step += 1) {
        run.progress(step * 1_000, 1_000_000);
        await new Promise<void>((resolve) => clock.schedule(2, resolve));
      }
    });
    throw new FailureError(failure('SOURCE_NOT_FOUND', 'no'));
  });
  await begin(taskId);
  await clock.pass(3_000);
  const progress = signals.flatMap((signal) => (signal.progress === undefined ? [] : [signal.progress]));
  t.true(progress.length >= 7 && progress.length <= 8, `${progress.length} signals in 2 s`);
  const last = progress.at(-1);
  t.like(last, { stage: 'fetch', bytesTotal: 1_000_000n });
  t.is(Math.round(Number(last?.bytesPerSecond) / 10_000), 50);
  t.deepEqual(signals.at(-1), { taskId, progress: undefined });
  t.is(signals.length, progress.length + 1);
});

const result = { imageId: taskId, location: 'file:///x', digest: '', sizeBytes: 1n, format: 'DISK_FORMAT_RAW', guestDigest: '', verified: true } as const;

test('a task that makes no image succeeds with what it delivered, and its staging is cleared', async (t) => {
  const { begin, clock, events, tasks, asked } = workerBench((attempt) => attempt.deliver(result, async () => { t.fail('nothing is withdrawn'); }));
  await begin(taskId);
  await clock.pass(1);
  t.deepEqual(events(taskId), ['TaskCreated', 'AttemptStarted', 'TaskSucceeded']);
  t.like(tasks.peek(taskId), { status: 'succeeded', result });
  t.true(asked.includes(`discardStaging ${taskId}`));
});

for (const heard of [true, false]) {
  test(`a cancel that comes after the delivery, ${heard ? 'and was heard of' : 'of which nobody has heard yet'}, has what was delivered withdrawn first`, async (t) => {
    const delivered = Promise.withResolvers<void>();
    const story: string[] = [];
    const { begin, clock, tasks, tell, events } = workerBench(async (attempt) => {
      await attempt.lastStage('deliver', () => delivered.promise);
      await attempt.deliver(result, async () => { story.push(`withdrawn after ${events(taskId).at(-1)}`); });
    });
    await begin(taskId);
    await clock.pass(1);
    await tasks.execute(taskId, cancel(1));
    if (heard) await tell();
    delivered.resolve();
    await clock.pass(1);
    t.deepEqual(story, ['withdrawn after CancelRequested']);
    t.is(events(taskId).at(-1), 'TaskCanceled');
  });
}

test('what was delivered for a task that was canceled, and left the lists since, is withdrawn', async (t) => {
  const delivered = Promise.withResolvers<void>();
  const story: string[] = [];
  const { begin, clock, tasks } = workerBench(async (attempt) => {
    await attempt.lastStage('deliver', () => delivered.promise);
    await attempt.deliver(result, async () => { story.push(`withdrawn while ${tasks.peek(taskId).status}`); });
  });
  await begin(taskId);
  await clock.pass(1);
  for (const command of [cancel(1), confirmCancel(2, 1), expire(3 + ttlSeconds)]) await tasks.execute(taskId, command);
  delivered.resolve();
  await clock.pass(1);
  t.deepEqual(story, ['withdrawn while expired']);
});

test('an attempt that was replaced withdraws nothing: its successor may have found it', async (t) => {
  const delivered = Promise.withResolvers<void>();
  const { begin, clock, tasks, tell, events } = workerBench(async (attempt) => {
    await attempt.lastStage('deliver', () => delivered.promise);
    await attempt.deliver(result, async () => { t.fail('it was withdrawn'); });
  });
  await begin(taskId);
  await clock.pass(1);
  await tasks.execute(taskId, { ...start(2), incarnation: 'life-2', runnerIsDead: true } as TaskCommand);
  await tell();
  delivered.resolve();
  await clock.pass(1);
  t.deepEqual(events(taskId), ['TaskCreated', 'AttemptStarted', 'AttemptStarted']);
});

test('the destination of an export that has ended in vain is cleared before its staging, by whoever brings it to its end', async (t) => {
  const destination = { imageId: taskId, destinationUri: 'file:///images/a', format: 'DISK_FORMAT_UNSPECIFIED', compression: 'COMPRESSION_UNSPECIFIED', credential: '' } as const;
  const { begin, clock, tasks, asked, queue } = workerBench((attempt) => attempt.lastStage('deliver', async () => {
    throw new FailureError(failure('DESTINATION_EXISTS', 'It exists.'));
  }), 2, { spec: { kind: { $case: 'exportImage', value: destination } } });
  await begin(taskId);
  await clock.pass(1);
  t.is(tasks.peek(taskId).status, 'failed');
  t.deepEqual(asked, [`onExportEnded ${taskId} failed`, `discardStaging ${taskId}`]);
  queue.offer(taskId);
  await clock.pass(1);
  t.deepEqual(asked.slice(2), asked.slice(0, 2));
});

test('an import that fails has no destination', async (t) => {
  const { begin, clock, asked } = workerBench((attempt) => attempt.lastStage('fetch', async () => {
    throw new FailureError(failure('SOURCE_NOT_FOUND', 'Nothing there.'));
  }));
  await begin(taskId);
  await clock.pass(1);
  t.false(asked.some((line) => line.startsWith('onExportEnded')));
});
