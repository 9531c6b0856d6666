import { Event } from '../../src/gen/lehr/v1/event.ts';
import { Image } from '../../src/gen/lehr/v1/image.ts';
import { Task } from '../../src/gen/lehr/v1/task.ts';
import type { Progress } from '../../src/gen/lehr/v1/task.ts';

export const taskId = '7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e';
export const otherId = '11111111-2222-5333-8444-555555555555';
export const digest = 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08';
export const createTime = new Date('2026-01-02T03:04:05.678Z');

/** An import that waits for its first attempt. */
export const pendingTask: Task = Task.fromPartial({
  id: taskId,
  state: 'STATE_PENDING',
  spec: { kind: { $case: 'importImage', value: { sourceUri: 'https://example.com/disk.qcow2', image: { name: 'web' } } } },
  owner: 'default',
  labels: { env: 'prod' },
  revision: 1n,
  createTime,
  updateTime: createTime,
});

/** The same, running, as far as `progress` says. */
export function runningTask(progress: Partial<Progress> = {}): Task {
  return Task.fromPartial({
    ...pendingTask,
    state: 'STATE_RUNNING',
    attempt: 1,
    revision: 2n,
    startTime: createTime,
    progress: { stage: 'fetch', bytesDone: 0n, bytesTotal: 4096n, bytesPerSecond: 0n, ...progress },
  });
}

/** The same, done. */
export const succeededTask: Task = Task.fromPartial({
  ...pendingTask,
  state: 'STATE_SUCCEEDED',
  attempt: 1,
  revision: 7n,
  result: { imageId: taskId, digest, sizeBytes: 4096n, format: 'DISK_FORMAT_QCOW2' },
  endTime: new Date('2026-01-02T03:05:00Z'),
});

/** The same, given up. */
export const failedTask: Task = Task.fromPartial({
  ...pendingTask,
  state: 'STATE_FAILED',
  attempt: 1,
  revision: 3n,
  failure: {
    reason: 'REASON_SOURCE_NOT_FOUND', stage: 'fetch', message: 'https://example.com/disk.qcow2 answered 404.', metadata: { http_status: '404' },
  },
  endTime: new Date('2026-01-02T03:05:00Z'),
});

/** The same, canceled. */
export const canceledTask: Task = Task.fromPartial({ ...pendingTask, state: 'STATE_CANCELED', revision: 2n });

/** An image with everything. */
export const image: Image = Image.fromPartial({
  id: taskId,
  owner: 'default',
  name: 'web',
  tags: ['linux', 'stable'],
  properties: { os_distro: 'debian' },
  format: 'DISK_FORMAT_QCOW2',
  sizeBytes: 1_288_490_188n,
  virtualSizeBytes: 21_474_836_480n,
  digest,
  warnings: ['raw.unrecognised_content'],
  taskId,
  revision: 1n,
  createTime,
  updateTime: createTime,
});

/** An event of the task's stream. */
export function taskEvent(revision: bigint, payload: NonNullable<Event['payload']>): Event {
  const name = payload.$case.slice(0, 1).toUpperCase() + payload.$case.slice(1);
  return Event.create({
    id: `00000000-0000-4000-8000-${String(revision).padStart(12, '0')}`,
    type: `lehr.v1.${name}`,
    subject: `tasks/${taskId}`,
    revision,
    time: new Date(createTime.getTime() + Number(revision) * 1_000),
    owner: 'default',
    predecessorHash: '0'.repeat(64),
    hash: 'a'.repeat(64),
    payload,
  });
}
