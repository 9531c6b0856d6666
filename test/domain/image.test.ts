import test from 'ava';

import type { Decision, DomainEvent } from '../../src/domain/decision.ts';
import { registerImageOf } from '../../src/domain/image/image-of-task.ts';
import {
  absentImage, decideImage, describeImage, evolveImage, type ImageCommand, type ImagePayload, type ImageState,
} from '../../src/domain/image/image.ts';
import { at, create, image, start, store, stored, taskAfter, taskId } from './task-fixtures.ts';

const committed = taskAfter(create(0), start(1), store(2, 1));
if (committed.status !== 'committed') throw new Error('the task is not committed');

const { attempt: _attempt, ...found } = stored(1);
const registered = { ...found, taskId };
const renamed = { name: 'debian-12', tags: [], properties: { os_version: '12' } };

const register = registerImageOf(committed);
const update: ImageCommand = { type: 'updateImage', properties: renamed, now: at(10) };
const remove: ImageCommand = { type: 'deleteImage', now: at(20) };

const registeredEvent: DomainEvent<ImagePayload> = { payload: { $case: 'imageRegistered', value: registered }, time: at(2), owner: 'blue' };
const updatedEvent: DomainEvent<ImagePayload> = { payload: { $case: 'imageUpdated', value: { image: renamed } }, time: at(10), owner: 'blue' };
const deletedEvent: DomainEvent<ImagePayload> = { payload: { $case: 'imageDeleted', value: {} }, time: at(20), owner: 'blue' };

const fold = (...events: readonly DomainEvent<ImagePayload>[]): ImageState =>
  events.reduce<ImageState>((state, event) => evolveImage(taskId, state, event), absentImage);

const states: Readonly<Record<string, ImageState>> = {
  absent: absentImage,
  live: fold(registeredEvent),
  updated: fold(registeredEvent, updatedEvent),
  deleted: fold(registeredEvent, updatedEvent, deletedEvent),
};

const event = (value: DomainEvent<ImagePayload>): Decision<ImagePayload> => ({ kind: 'event', event: value });
const unchanged: Decision<never> = { kind: 'unchanged' };
const notFound: Decision<never> = { kind: 'refused', reason: 'IMAGE_NOT_FOUND', message: 'There is no such image.' };
const deleted: Decision<never> = { kind: 'refused', reason: 'IMAGE_DELETED', message: 'The image was deleted.' };

const table: readonly (readonly [command: ImageCommand, decisions: Readonly<Record<string, Decision<ImagePayload>>>])[] = [
  [register, { absent: event(registeredEvent), live: unchanged, updated: unchanged, deleted: unchanged }],
  [update, { absent: notFound, live: event(updatedEvent), updated: event(updatedEvent), deleted }],
  [remove, { absent: notFound, live: event(deletedEvent), updated: event(deletedEvent), deleted }],
];

for (const [command, decisions] of table) {
  test(`${command.type}: one answer in every state`, (t) => {
    t.deepEqual(Object.fromEntries(Object.entries(states).map(([name, state]) => [name, decideImage(state, command)])), decisions);
  });
}

test('the table has every command', (t) => {
  const all: Readonly<Record<ImageCommand['type'], true>> = { registerImage: true, updateImage: true, deleteImage: true };
  t.deepEqual(table.map(([command]) => command.type).toSorted(), Object.keys(all).toSorted());
});

test('an image is registered with the time and the facts of what was stored, whoever registers it', (t) => {
  t.deepEqual(register, { type: 'registerImage', owner: 'blue', registered, now: at(2) });
});

test('the state after each event', (t) => {
  const live = { status: 'live', id: taskId, owner: 'blue', registered, properties: image, revision: 1n, createTime: at(2), updateTime: at(2) };
  t.deepEqual(states as Record<string, unknown>, {
    absent: { status: 'absent' },
    live,
    updated: { ...live, properties: renamed, revision: 2n, updateTime: at(10) },
    deleted: { ...live, status: 'deleted', properties: renamed, revision: 3n, updateTime: at(20) },
  });
});

test('an image that was registered without properties has empty ones', (t) => {
  const bare = fold({ ...registeredEvent, payload: { $case: 'imageRegistered', value: { ...registered, image: undefined } } });
  t.deepEqual(bare.status === 'absent' ? undefined : bare.properties, { name: '', tags: [], properties: {} });
});

test('what the API shows of an image', (t) => {
  const { updated } = states;
  t.deepEqual(updated === undefined || updated.status === 'absent' ? undefined : describeImage(updated), {
    id: taskId, owner: 'blue', name: 'debian-12', tags: [], properties: { os_version: '12' }, format: 'DISK_FORMAT_QCOW2', sizeBytes: 65_536n,
    virtualSizeBytes: 1_048_576n, digest: registered.digest, guestDigest: '', warnings: ['qcow2.unaligned'], taskId, revision: 2n,
    createTime: at(2), updateTime: at(10), provenance: registered.provenance,
  });
});

const impossible: readonly (readonly [state: string, event: DomainEvent<ImagePayload>, message: string])[] = [
  ['absent', updatedEvent, 'event imageUpdated cannot follow an image that is absent'],
  ['absent', deletedEvent, 'event imageDeleted cannot follow an image that is absent'],
  ['live', registeredEvent, 'event imageRegistered cannot follow an image that is live'],
  ['deleted', registeredEvent, 'event imageRegistered cannot follow an image that is deleted'],
  ['deleted', updatedEvent, 'event imageUpdated cannot follow an image that is deleted'],
  ['deleted', deletedEvent, 'event imageDeleted cannot follow an image that is deleted'],
];

for (const [name, value, message] of impossible) {
  test(`${value.payload.$case} after an image that is ${name} throws`, (t) => {
    t.throws(() => evolveImage(taskId, states[name] ?? absentImage, value), { message });
  });
}
