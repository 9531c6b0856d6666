import Database from 'better-sqlite3';

import { images } from '../../../projections/images/apply.ts';
import { tasks } from '../../../projections/tasks/apply.ts';
import { failure } from '../../../src/domain/failures.ts';
import type { ExistingImage } from '../../../src/domain/image/image.ts';
import type { ExistingTask, TaskFacts } from '../../../src/domain/task/task-state.ts';
import type { TaskResult, TaskSpec } from '../../../src/gen/lehr/v1/task.ts';
import type { StreamChange } from '../../../src/projector/projection.ts';

/** One of several, by a random number from 0 up to 1. */
export function pick<T>(random: () => number, values: readonly T[]): T {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

/** Texts that comparing gets wrong where it is careless: quotes, JSON, paths, numbers, prefixes, orders that differ in UTF-8 and UTF-16. */
export const texts = [
  '', 'a', 'A', 'ab', 'a.b', 'b', '"', '\\', '\\"', '\'', '%', '_', '*', '$', '$.a', '[0]', '#-1', '0', '1', '10', '2', 'null', 'true', '{}', ' a',
  'a ', 'a\nb', '\t', '\u007f', 'é', 'e\u0301', '猫', '\ufb01', '\uffff', '😀', '😀a', '__proto__', 'constructor', 'AND', '?', '; --',
] as const;
export const keys = ['env', 'a.b', '1', '__proto__', 'constructor', '"', '\\', '', '$.env', '猫'] as const;
export const owners = ['blue', 'red'] as const;

/** Few moments, so that many resources share one. */
export const moments = Array.from({ length: 12 }, (_, index) =>
  new Date(Date.UTC(2026, 0, 1) + Math.floor(index / 3) * 1_000 + (index % 3)));
export const sizes = [0n, 1n, 512n, 2n ** 31n, 2n ** 53n + 1n, 2n ** 63n - 1n] as const;
export const diskFormats = ['DISK_FORMAT_RAW', 'DISK_FORMAT_QCOW2', 'DISK_FORMAT_ISO'] as const;

const uuid = (number: number): string => `00000000-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;

function map(random: () => number): Record<string, string> {
  const chosen = keys.filter(() => random() < 0.5);
  return Object.fromEntries(chosen.map((key) => [key, pick(random, texts)]));
}

const properties = { name: '', tags: [], properties: {} };
const specs: readonly TaskSpec[] = [
  {
    kind: {
      $case: 'importImage',
      value: {
        sourceUri: '', sourceFormat: 'DISK_FORMAT_RAW', expectedDigest: '', storeFormat: 'DISK_FORMAT_RAW', image: properties, credential: '',
      },
    },
  },
  {
    kind: {
      $case: 'exportImage',
      value: { imageId: '', destinationUri: '', format: 'DISK_FORMAT_RAW', compression: 'COMPRESSION_NONE', credential: '' },
    },
  },
  { kind: { $case: 'cloneImage', value: { sourceRegion: '', imageId: '', image: properties } } },
];
const result: TaskResult = {
  imageId: '', location: '', digest: '', sizeBytes: 0n, format: 'DISK_FORMAT_RAW', guestDigest: '', verified: false,
};

/** A task in any state, as the log could have made it. */
export function randomTask(random: () => number, number: number): ExistingTask {
  const facts: TaskFacts = {
    id: uuid(number), owner: pick(random, owners), spec: pick(random, specs), labels: map(random), ttlMs: 1, requestId: '',
    fingerprint: Buffer.alloc(0), revision: 1n, attempt: 0,
    createTime: pick(random, moments), updateTime: pick(random, moments), startTime: undefined,
    failedAttempts: 0, lostAttempts: 0, recorded: [],
  };
  const ended = { endTime: pick(random, moments), expireTime: pick(random, moments) };
  return pick<ExistingTask>(random, [
    { ...facts, status: 'pending', retryTime: undefined, failure: undefined },
    { ...facts, status: 'running', node: '', incarnation: '', cancelRequested: false, stageTime: facts.createTime, completed: [] },
    { ...facts, ...ended, status: 'succeeded', result, stored: undefined },
    { ...facts, ...ended, status: 'failed', failure: failure('STORE_FULL', '') },
    { ...facts, ...ended, status: 'canceled' },
    { ...facts, ...ended, status: 'expired', last: 'canceled' },
  ]);
}

/** An image that is live. */
export function randomImage(random: () => number, number: number): ExistingImage {
  const image = { name: pick(random, texts), tags: texts.filter(() => random() < 0.1), properties: map(random) };
  return {
    status: 'live', id: uuid(number), owner: pick(random, owners), properties: image, revision: 1n, createTime: pick(random, moments),
    updateTime: pick(random, moments),
    registered: {
      taskId: uuid(number), file: '', digest: pick(random, texts), sizeBytes: pick(random, sizes), format: pick(random, diskFormats),
      virtualSizeBytes: pick(random, sizes), guestDigest: '', warnings: [], image, provenance: undefined,
    },
  };
}

/** The tables of the service itself, in memory, filled by its own projections. */
export function tablesOf(taskStates: readonly ExistingTask[], imageStates: readonly ExistingImage[]): Database.Database {
  const db = new Database(':memory:');
  const streams = [
    ...taskStates.map((state) => ({ kind: 'task', state }) as const),
    ...imageStates.map((state) => ({ kind: 'image', state }) as const),
  ];
  const changes = streams.map((stream, offset): StreamChange => ({
    subject: `${stream.kind}s/${stream.state.id}`, owner: stream.state.owner, head: { revision: 1n, hash: '' }, partition: 0, offset, stream,
  }));
  for (const projection of [tasks, images]) {
    db.exec(projection.schema);
    projection.prepare(db, { stageTimeoutMs: 1 })({ records: [], changes });
  }
  return db;
}
