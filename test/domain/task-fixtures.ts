import { failure } from '../../src/domain/failures.ts';
import { decideTask } from '../../src/domain/task/decide-task.ts';
import { evolveTask } from '../../src/domain/task/evolve-task.ts';
import type { TaskCommand } from '../../src/domain/task/task-command.ts';
import { absentTask, type ExistingTask, type TaskState } from '../../src/domain/task/task-state.ts';
import type { ImageStored, StageCompleted } from '../../src/gen/lehr/v1/event.ts';
import type { Provenance } from '../../src/gen/lehr/v1/image.ts';
import type { TaskResult, TaskSpec } from '../../src/gen/lehr/v1/task.ts';

export const taskId = '7d9c1f7e-31a5-5d0e-8a64-0d0b5c1f2e3a';

/** The time so many seconds after the task was created. */
export function at(seconds: number): Date {
  return new Date(Date.UTC(2026, 0, 1) + seconds * 1_000);
}

export const ttlSeconds = 3_600;
export const image = { name: 'debian', tags: ['linux'], properties: { os_distro: 'debian' } };

export const spec: TaskSpec = {
  kind: {
    $case: 'importImage',
    value: {
      sourceUri: 'https://example.org/debian.qcow2', sourceFormat: 'DISK_FORMAT_UNSPECIFIED', expectedDigest: '',
      storeFormat: 'DISK_FORMAT_UNSPECIFIED', image, credential: '',
    },
  },
};

const provenance: Provenance = {
  sourceUri: 'https://example.org/debian.qcow2', sourceRegion: '', sourceImageId: '', originSourceUri: '', originSourceRegion: '',
  originSourceImageId: '',
};

export const fetched = (attempt: number): StageCompleted => ({
  attempt, stage: 'fetch', duration: { seconds: 3n, nanos: 500_000_000 }, bytes: 65_536n, digest: `sha256:${'a1'.repeat(32)}`,
  format: 'DISK_FORMAT_QCOW2', virtualSizeBytes: 1_048_576n, warnings: [], facts: { etag: '"x"' },
});

export const stored = (attempt: number): ImageStored => ({
  attempt, file: `images/${taskId}.${attempt}`, digest: `sha256:${'a1'.repeat(32)}`, sizeBytes: 65_536n,
  format: 'DISK_FORMAT_QCOW2', virtualSizeBytes: 1_048_576n, guestDigest: '', warnings: ['qcow2.unaligned'], image,
  provenance,
});

export const delivered: TaskResult = {
  imageId: 'b7c3b1b2-0000-4000-8000-000000000001', location: 'https://example.net/debian.qcow2', digest: `sha256:${'b2'.repeat(32)}`,
  sizeBytes: 7n, format: 'DISK_FORMAT_RAW', guestDigest: '', verified: true,
};

export const unreachable = failure('SOURCE_UNREACHABLE', 'example.org refused the connection.');
export const forbidden = failure('SOURCE_FORBIDDEN', 'example.org answered 403.');

/** The commands of the tests, with what matters as arguments; the rest is fixed. */
export const create = (seconds: number, fingerprint = 'same'): TaskCommand => ({
  type: 'createTask', id: taskId, owner: 'blue', spec, labels: { env: 'prod' }, ttl: { seconds: BigInt(ttlSeconds), nanos: 0 },
  requestId: 'r-1', fingerprint: Buffer.from(fingerprint), now: at(seconds),
});
export const start = (seconds: number, runnerIsDead = false): TaskCommand => ({
  type: 'startAttempt', node: 'node-1', incarnation: `life-${seconds}`, runnerIsDead, now: at(seconds),
});
export const complete = (seconds: number, attempt: number): TaskCommand => ({ type: 'completeStage', found: fetched(attempt), now: at(seconds) });
export const store = (seconds: number, attempt: number): TaskCommand => ({ type: 'storeImage', stored: stored(attempt), now: at(seconds) });
export const deliver = (seconds: number, attempt: number): TaskCommand => ({
  type: 'deliverResult', attempt, result: delivered, now: at(seconds),
});
export const fail = (seconds: number, attempt: number, cause = unreachable, attemptLimit = 5): TaskCommand => ({
  type: 'failAttempt', attempt, failure: cause, attemptLimit, now: at(seconds),
});
export const expireAttempt = (seconds: number, attemptLimit = 5, stageTimeoutMs = 30_000): TaskCommand => ({
  type: 'expireAttempt', stageTimeoutMs, attemptLimit, now: at(seconds),
});
export const cancel = (seconds: number): TaskCommand => ({ type: 'requestCancel', now: at(seconds) });
export const confirmCancel = (seconds: number, attempt: number): TaskCommand => ({ type: 'confirmCancel', attempt, now: at(seconds) });
export const succeed = (seconds: number): TaskCommand => ({ type: 'succeedTask', now: at(seconds) });
export const expire = (seconds: number): TaskCommand => ({ type: 'expireTask', now: at(seconds) });

/** The task after all commands, each of which must make an event. */
export function taskAfter(...commands: readonly TaskCommand[]): ExistingTask {
  const state = commands.reduce<TaskState>((before, command) => {
    const decision = decideTask(before, command);
    if (decision.kind !== 'event') throw new Error(`${command.type} makes no event of a task that is ${before.status}`);
    return evolveTask(taskId, before, decision.event);
  }, absentTask);
  if (state.status === 'absent') throw new Error('no commands');
  return state;
}
