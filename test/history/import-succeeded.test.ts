import { readFile } from 'node:fs/promises';

import test from 'ava';

import { describeImage, absentImage, evolveImage, type ImagePayload, type ImageState } from '../../src/domain/image/image.ts';
import { registerImageOf } from '../../src/domain/image/image-of-task.ts';
import type { DomainEvent } from '../../src/domain/decision.ts';
import { describeTask } from '../../src/domain/task/describe-task.ts';
import { evolveTask } from '../../src/domain/task/evolve-task.ts';
import type { TaskPayload } from '../../src/domain/task/task-command.ts';
import { absentTask, type TaskState } from '../../src/domain/task/task-state.ts';
import { decodeCanonical, encodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import { openRecord } from '../../src/log/envelope.ts';
import { emptyHead, judge, type Head } from '../../src/log/head.ts';

interface StoredHistory {
  readonly records: readonly { readonly type: string; readonly hash: string; readonly canonical: string }[];
}

const history = JSON.parse(await readFile(new URL('import-succeeded.json', import.meta.url), 'utf8')) as StoredHistory;
const records = history.records.map(({ type, hash, canonical }) => {
  const bytes = Buffer.from(canonical, 'base64');
  return { type, hash, bytes, record: decodeCanonical(bytes) };
});

const id = '5f0c2a2e-8d3b-5c1a-9e57-3b7f6a1d4c20';
const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 5, 8) + seconds * 1_000);

const eventsOf = (subject: string): readonly DomainEvent[] =>
  records.filter(({ record }) => record.headers.ce_subject === subject).map(({ record }) => {
    const event = openRecord(record);
    if (event === undefined) throw new Error(`${record.headers.ce_type} is not known`);
    return event;
  });

const taskStates = eventsOf(`tasks/${id}`).reduce<readonly TaskState[]>(
  (states, event) => [...states, evolveTask(id, states.at(-1) ?? absentTask, event as DomainEvent<TaskPayload>)],
  [],
);
const imageState = eventsOf(`images/${id}`).reduce<ImageState>(
  (state, event) => evolveImage(id, state, event as DomainEvent<ImagePayload>),
  absentImage,
);

test('the stored bytes have the hashes that were stored beside them', (t) => {
  t.deepEqual(records.map(({ bytes }) => hashCanonical(bytes)), records.map(({ hash }) => hash));
});

test('every record is accepted in the order of the log, and both chains end where they ended', (t) => {
  const heads = new Map<string, Head>();
  const judgements = records.map(({ record, hash }) => {
    const { ce_subject: subject } = record.headers;
    const head = heads.get(subject) ?? emptyHead;
    heads.set(subject, { revision: head.revision + 1n, hash });
    return judge(head, record.headers);
  });
  t.deepEqual(judgements, records.map(() => 'accepted'));
  t.deepEqual([...heads], [
    [`tasks/${id}`, { revision: 8n, hash: 'a6d5e436b8ce03ba86c426b5af0b406308dc6eee37f632abc7293eaeee6f5970' }],
    [`images/${id}`, { revision: 1n, hash: '3bc73c9fabd361128cfa7e15e39c92d2ab6acf6c89a3ae6f39134f64aba7573e' }],
  ]);
});

test('every record says the same when it is written again', (t) => {
  for (const { record, bytes, type } of records) {
    t.is(record.headers.ce_type, type);
    t.true(encodeCanonical(record).equals(bytes));
  }
});

test('the task goes through the same states', (t) => {
  t.deepEqual(taskStates.map(({ status }) => status), [
    'pending', 'running', 'pending', 'running', 'running', 'running', 'committed', 'succeeded',
  ]);
});

const digest = `sha256:${'1d'.repeat(32)}`;
const guestDigest = `sha256:${'2e'.repeat(32)}`;
const image = { name: 'debian-12 (größe ☁)', tags: ['linux', 'lts'], properties: { os_distro: 'debian', os_version: '12' } };

test('the task is shown as it was', (t) => {
  const task = taskStates.at(-1);
  t.deepEqual(task === undefined || task.status === 'absent' ? undefined : describeTask(task), {
    id, state: 'STATE_SUCCEEDED', owner: 'blue', labels: { 'env': 'prod', 'team.name': 'base' }, attempt: 2, revision: 8n,
    spec: {
      kind: {
        $case: 'importImage',
        value: {
          sourceUri: 'https://cloud.example.org/debian-12.qcow2', sourceFormat: 'DISK_FORMAT_QCOW2', expectedDigest: digest,
          storeFormat: 'DISK_FORMAT_UNSPECIFIED', image, credential: 'mirror',
        },
      },
    },
    result: { imageId: id, location: '', digest, sizeBytes: 343_932_928n, format: 'DISK_FORMAT_QCOW2', guestDigest, verified: false },
    failure: undefined, progress: undefined, cancelRequested: false,
    createTime: at(0), updateTime: at(9.411), startTime: at(0.012), endTime: at(9.411), expireTime: at(172_809.411), retryTime: undefined,
  });
});

test('the image is shown as it was', (t) => {
  t.deepEqual(imageState.status === 'absent' ? undefined : describeImage(imageState), {
    id, owner: 'blue', ...image, format: 'DISK_FORMAT_QCOW2', sizeBytes: 343_932_928n, virtualSizeBytes: 2_147_483_648n, digest, guestDigest,
    warnings: ['qcow2.dirty_bit'], taskId: id, revision: 1n, createTime: at(9.4), updateTime: at(9.4),
    provenance: undefined,
  });
});

test('the image was registered with what the task stored', (t) => {
  const committed = taskStates.find((state) => state.status === 'committed');
  const [event] = eventsOf(`images/${id}`);
  const command = committed === undefined ? undefined : registerImageOf(committed);
  t.deepEqual(event, {
    payload: { $case: 'imageRegistered', value: command?.registered }, time: command?.now, owner: command?.owner,
  } as DomainEvent);
});
