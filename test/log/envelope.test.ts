import test from 'ava';

import type { DomainEvent, Payload } from '../../src/domain/decision.ts';
import { decodeCanonical, encodeCanonical, hashRecord } from '../../src/log/canonical.ts';
import { describeRecord, openRecord, sealRecord } from '../../src/log/envelope.ts';
import { emptyHead, judge } from '../../src/log/head.ts';
import { noPredecessor, recordContentType } from '../../src/log/record.ts';

const id = '0b0e9a52-6c1e-4c7e-9a53-0f0d3a1f7c11';
const taskId = '7d9c1f7e-31a5-5d0e-8a64-0d0b5c1f2e3a';
const time = new Date('2026-01-02T03:04:05.678Z');
const expireTime = new Date('2026-01-04T03:04:05.001Z');
const digest = `sha256:${'0f'.repeat(32)}`;
const image = { name: 'Zoë\'s 猫', tags: ['a', 'b'], properties: { os_distro: 'debian', '': 'empty key' } };
const failure = {
  reason: 'REASON_SOURCE_TRUNCATED' as const, stage: 'fetch', message: 'The source ended early.', retryable: true,
  metadata: { bytes_expected: '18446744073709551615', bytes_received: '1' },
};
const facts = {
  file: `images/${taskId}.1`, digest, sizeBytes: 2n ** 53n + 1n, format: 'DISK_FORMAT_QCOW2' as const, virtualSizeBytes: 2n ** 64n - 1n,
  guestDigest: digest, warnings: ['qcow2.unaligned'], image,
  provenance: {
    sourceUri: 'https://example.org/a.qcow2', sourceRegion: 'dfw', sourceImageId: taskId, originSourceUri: 'https://example.org/b.qcow2',
    originSourceRegion: 'ord', originSourceImageId: taskId,
  },
};

/** Every payload, with a value in every field. */
const payloads: { readonly [P in Payload as P['$case']]: P['value'] } = {
  taskCreated: {
    spec: {
      kind: {
        $case: 'importImage',
        value: {
          sourceUri: 'https://example.org/a.qcow2', sourceFormat: 'DISK_FORMAT_QCOW2', expectedDigest: digest, storeFormat: 'DISK_FORMAT_RAW',
          image, credential: 'archive',
        },
      },
    },
    labels: { env: 'prod' }, ttl: { seconds: 315_576_000n, nanos: 999_999_999 }, requestId: 'r-1', fingerprint: Buffer.alloc(32, 7),
  },
  attemptStarted: { attempt: 3, node: 'node-1', incarnation: 'life-1' },
  stageCompleted: {
    attempt: 3, stage: 'fetch', duration: { seconds: 1n, nanos: 5 }, bytes: 2n ** 40n, digest, format: 'DISK_FORMAT_VMDK',
    virtualSizeBytes: 512n, warnings: ['a', 'b'], facts: { etag: '"x"' },
  },
  imageStored: { attempt: 3, ...facts },
  attemptFailed: { attempt: 3, failure, retryTime: expireTime },
  cancelRequested: {},
  taskSucceeded: {
    result: { imageId: taskId, location: 's3://bucket/a', digest, sizeBytes: 5n, format: 'DISK_FORMAT_ISO', guestDigest: digest, verified: true },
    expireTime,
  },
  taskFailed: { failure, expireTime },
  taskCanceled: { expireTime },
  taskExpired: {},
  imageRegistered: { taskId, ...facts },
  imageUpdated: { image },
  imageDeleted: {},
};

const types: { readonly [C in Payload['$case']]: string } = {
  taskCreated: 'lehr.v1.TaskCreated',
  attemptStarted: 'lehr.v1.AttemptStarted',
  stageCompleted: 'lehr.v1.StageCompleted',
  imageStored: 'lehr.v1.ImageStored',
  attemptFailed: 'lehr.v1.AttemptFailed',
  cancelRequested: 'lehr.v1.CancelRequested',
  taskSucceeded: 'lehr.v1.TaskSucceeded',
  taskFailed: 'lehr.v1.TaskFailed',
  taskCanceled: 'lehr.v1.TaskCanceled',
  taskExpired: 'lehr.v1.TaskExpired',
  imageRegistered: 'lehr.v1.ImageRegistered',
  imageUpdated: 'lehr.v1.ImageUpdated',
  imageDeleted: 'lehr.v1.ImageDeleted',
};

const head = { revision: 41n, hash: 'c'.repeat(64) };
const events = Object.entries(payloads).map(([$case, value]): DomainEvent => ({ payload: { $case, value } as Payload, time, owner: 'blue' }));

test('there are 13 payloads', (t) => {
  t.is(events.length, 13);
  t.deepEqual(Object.keys(types), Object.keys(payloads));
});

for (const event of events) {
  const { $case } = event.payload;

  test(`${$case} travels in a record and comes back whole`, (t) => {
    const record = sealRecord(`tasks/${taskId}`, head, event, id);
    t.deepEqual(record.headers, {
      ce_id: id, ce_owner: 'blue', ce_predecessorhash: head.hash, ce_sequence: '00000000000000000042', ce_source: '/lehr', ce_specversion: '1.0',
      ce_subject: `tasks/${taskId}`, ce_time: '2026-01-02T03:04:05.678Z', ce_type: types[$case],
    });
    t.is(judge(head, record.headers), 'accepted');
    t.deepEqual(openRecord(decodeCanonical(encodeCanonical(record))), event);
  });

  test(`${$case} is shown with its place in the chain`, (t) => {
    const record = sealRecord(`tasks/${taskId}`, head, event, id);
    const hash = hashRecord(record);
    t.deepEqual(describeRecord(record, hash), {
      id, type: types[$case], subject: `tasks/${taskId}`, revision: 42n, time, owner: 'blue', predecessorHash: head.hash, hash, payload: event.payload,
    });
  });
}

const expired: DomainEvent = { payload: { $case: 'taskExpired', value: {} }, time, owner: 'blue' };

test('the first record of a stream names no predecessor', (t) => {
  const { headers } = sealRecord(`tasks/${taskId}`, emptyHead, expired, id);
  t.deepEqual([headers.ce_sequence, headers.ce_predecessorhash], ['00000000000000000001', noPredecessor]);
});

test('records are told apart by a random id unless one is given', (t) => {
  const [one, two] = [sealRecord('tasks/x', head, expired), sealRecord('tasks/x', head, expired)];
  t.regex(one.headers.ce_id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  t.not(one.headers.ce_id, two.headers.ce_id);
  t.deepEqual(sealRecord('tasks/x', head, expired, id), sealRecord('tasks/x', head, expired, id));
});

for (const type of ['lehr.v2.TaskPaused', 'lehr.v1.taskExpired', 'lehr.v1.', '', '__proto__', 'lehr.v1.ToString']) {
  test(`a record of the unknown type '${type}' has no event and is shown without one`, (t) => {
    const { headers } = sealRecord('tasks/x', head, expired, id);
    const record = { headers: { ...headers, ce_type: type }, value: Buffer.from('not of this version') };
    t.is(openRecord(record), undefined);
    t.deepEqual(describeRecord(record, 'h'), {
      id, type, subject: 'tasks/x', revision: 42n, time, owner: 'blue', predecessorHash: head.hash, hash: 'h', payload: undefined,
    });
  });
}

test('a value that does not decode throws', (t) => {
  const { headers } = sealRecord('tasks/x', head, { ...expired, payload: { $case: 'taskCanceled', value: { expireTime } } }, id);
  t.throws(() => openRecord({ headers, value: Buffer.from('0aff', 'hex') }));
});

test('a field of a later version is passed over', (t) => {
  const record = sealRecord('tasks/x', head, { ...expired, payload: { $case: 'attemptStarted', value: payloads.attemptStarted } }, id);
  const value = Buffer.concat([record.value, Buffer.from('fa0701ff', 'hex')]);
  t.deepEqual(openRecord({ ...record, value })?.payload, { $case: 'attemptStarted', value: payloads.attemptStarted });
});

test('the content type is that of CloudEvents in binary mode', (t) => {
  t.is(recordContentType, 'application/protobuf');
});
