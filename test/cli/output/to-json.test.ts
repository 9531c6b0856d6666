import { readFileSync } from 'node:fs';

import { createFileRegistry, fromBinary, toJson as toProtobufJson } from '@bufbuild/protobuf';
import type { DescField } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import test from 'ava';

import { toJson } from '../../../src/cli/output/to-json.ts';
import { Event } from '../../../src/gen/lehr/v1/event.ts';
import { StreamEventsResponse, VerifyEventsResponse } from '../../../src/gen/lehr/v1/event_service.ts';
import { Image } from '../../../src/gen/lehr/v1/image.ts';
import { Task } from '../../../src/gen/lehr/v1/task.ts';
import { WatchTasksResponse } from '../../../src/gen/lehr/v1/task_service.ts';
import { failedTask, image, pendingTask, runningTask, succeededTask, taskEvent } from '../fixtures.ts';

const descriptors = readFileSync(new URL('../../../src/gen/descriptors.binpb', import.meta.url));
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptors));
const own = [...registry.files].filter((file) => file.proto.package === 'lehr.v1');

interface Codec<Message> {
  readonly encode: (message: Message) => { finish: () => Uint8Array };
}

/** What protobuf's own library makes of the same message. */
function expected<Message>(name: string, codec: Codec<Message>, message: Message): unknown {
  const descriptor = registry.getMessage(`lehr.v1.${name}`);
  return descriptor && toProtobufJson(descriptor, fromBinary(descriptor, codec.encode(message).finish()), { registry });
}

const created = taskEvent(1n, {
  $case: 'taskCreated',
  value: { spec: pendingTask.spec, labels: { empty: '' }, ttl: { seconds: 3n, nanos: 500_000_000 }, requestId: 'r', fingerprint: Buffer.from([0, 255]) },
});
const stage = taskEvent(3n, {
  $case: 'stageCompleted',
  value: {
    attempt: 1, stage: 'inspect', duration: { seconds: 0n, nanos: 1_000 }, bytes: 2n ** 64n - 1n, digest: '', format: 'DISK_FORMAT_UNSPECIFIED',
    virtualSizeBytes: 0n, warnings: ['', 'DISK_FORMAT_UNSPECIFIED'], facts: { format: 'DISK_FORMAT_UNSPECIFIED' },
  },
});
const unspecifiedName = Image.fromPartial({ ...image, name: 'DISK_FORMAT_UNSPECIFIED', createTime: new Date('2026-01-02T03:04:05Z') });

const cases: readonly (readonly [name: string, actual: object, expected: unknown])[] = [
  ...[pendingTask, runningTask(), succeededTask, failedTask, Task.fromPartial({})].map((task) =>
    [`task in ${task.state}`, toJson(task), expected('Task', Task, task)] as const),
  ...[image, unspecifiedName].map((it) => [`image ${it.name}`, toJson(it), expected('Image', Image, it)] as const),
  ...[created, stage, taskEvent(2n, { $case: 'cancelRequested', value: {} })].map((event) =>
    [`event ${event.type}`, toJson(event), expected('Event', Event, event)] as const),
  ['streamed event', toJson({ event: created, token: 't' }), expected('StreamEventsResponse', StreamEventsResponse, { event: created, token: 't' })],
  ...([
    { message: { $case: 'change', value: failedTask } }, { message: { $case: 'snapshotEnd', value: { resumeToken: '' } } }, { message: undefined },
  ] satisfies WatchTasksResponse[]).map((it) =>
    [`watch message ${it.message?.$case ?? 'none'}`, toJson(it), expected('WatchTasksResponse', WatchTasksResponse, it)] as const),
  (() => {
    const found = { events: 2n, streams: 1n, faults: [{ position: '0:1', subject: 's', revision: 1n, message: 'm' }] };
    return ['faults', toJson(found), expected('VerifyEventsResponse', VerifyEventsResponse, found)] as const;
  })(),
];

for (const [name, actual, wanted] of cases) {
  test(`${name} becomes the same JSON as through protobuf's own library`, (t) => {
    t.deepEqual(JSON.parse(JSON.stringify(actual)), wanted);
  });
}

/** Fields of the API by a property of their type, as names in JSON. */
function fieldsWhere(holds: (field: DescField) => boolean): readonly string[] {
  const fields = own.flatMap((file) => file.messages).flatMap((message) => message.fields);
  return [...new Set(fields.filter(holds).map((field) => field.jsonName))].sort();
}

/** Names of fields that have a type in one message and another type in another. */
function ambiguous(holds: (field: DescField) => boolean): readonly string[] {
  const without = new Set(fieldsWhere((field) => !holds(field)));
  return fieldsWhere(holds).filter((name) => without.has(name));
}

const kinds: readonly (readonly [kind: string, names: readonly string[], holds: (field: DescField) => boolean])[] = [
  ['maps', ['facts', 'labels', 'metadata', 'properties'], (field) => field.fieldKind === 'map'],
  ['enums', ['compression', 'depth', 'format', 'reason', 'sourceFormat', 'state', 'storeFormat'], (field) => field.fieldKind === 'enum'],
  ['durations', ['duration', 'ttl'], (field) => field.fieldKind === 'message' && field.message.typeName === 'google.protobuf.Duration'],
];

for (const [kind, names, holds] of kinds) {
  test(`the fields of the API that are ${kind} are those that the command line knows by name`, (t) => {
    t.deepEqual(fieldsWhere(holds), names);
    t.deepEqual(ambiguous(holds), []);
  });
}
