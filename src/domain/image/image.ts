import type { ImageRegistered } from '../../gen/lehr/v1/event.ts';
import type { Image } from '../../gen/lehr/v1/image.ts';
import type { ImageProperties } from '../../gen/lehr/v1/task.ts';
import { refused, unchanged, type Decision, type DomainEvent, type Payload } from '../decision.ts';

/** The events of an image's stream. */
export type ImagePayload = Extract<Payload, { $case: 'imageRegistered' | 'imageUpdated' | 'imageDeleted' }>;

/** An image that exists, or existed until it was deleted. */
export interface ExistingImage {
  readonly status: 'live' | 'deleted';
  readonly id: string;
  readonly owner: string;
  readonly registered: ImageRegistered;
  readonly properties: ImageProperties;
  readonly revision: bigint;
  readonly createTime: Date;
  readonly updateTime: Date;
}

export type ImageState = { readonly status: 'absent' } | ExistingImage;

export const absentImage: ImageState = { status: 'absent' };

/** Everything that can be asked of an image. */
export type ImageCommand =
  | { readonly type: 'registerImage'; readonly owner: string; readonly registered: ImageRegistered; readonly now: Date }
  | { readonly type: 'updateImage'; readonly properties: ImageProperties; readonly now: Date }
  | { readonly type: 'deleteImage'; readonly now: Date };

/** What `command` does to an image: one event, a named refusal, or nothing because it is so already. Pure. */
export function decideImage(state: ImageState, command: ImageCommand): Decision<ImagePayload> {
  switch (command.type) {
    case 'registerImage':
      // Whatever became of it since: it was registered, and by the rule of the log only once.
      if (state.status !== 'absent') return unchanged;
      return happened(command.owner, command.now, { $case: 'imageRegistered', value: command.registered });
    case 'updateImage':
      if (state.status !== 'live') return refuse(state);
      return happened(state.owner, command.now, { $case: 'imageUpdated', value: { image: command.properties } });
    case 'deleteImage':
      if (state.status !== 'live') return refuse(state);
      return happened(state.owner, command.now, { $case: 'imageDeleted', value: {} });
    default:
      return command satisfies never;
  }
}

/** The state after `event`; an event that cannot follow `state` throws, as in `evolveTask`. */
export function evolveImage(id: string, state: ImageState, event: DomainEvent<ImagePayload>): ExistingImage {
  const { payload, time, owner } = event;
  if (payload.$case === 'imageRegistered') {
    if (state.status !== 'absent') throw impossible(state, payload);
    const registered = payload.value;
    const properties = registered.image ?? { name: '', tags: [], properties: {} };
    return { status: 'live', id, owner, registered, properties, revision: 1n, createTime: time, updateTime: time };
  }
  if (state.status !== 'live') throw impossible(state, payload);
  const next = { ...state, revision: state.revision + 1n, updateTime: time };
  switch (payload.$case) {
    case 'imageUpdated':
      return { ...next, properties: payload.value.image ?? state.properties };
    case 'imageDeleted':
      return { ...next, status: 'deleted' };
    default:
      return payload satisfies never;
  }
}

/** The image as the public API shows it. */
export function describeImage(state: ExistingImage): Image {
  const { format, sizeBytes, virtualSizeBytes, digest, guestDigest, warnings, taskId, provenance } = state.registered;
  return {
    id: state.id,
    owner: state.owner,
    name: state.properties.name,
    tags: state.properties.tags,
    properties: state.properties.properties,
    format, sizeBytes, virtualSizeBytes, digest, guestDigest, warnings, taskId, provenance,
    revision: state.revision,
    createTime: state.createTime,
    updateTime: state.updateTime,
  };
}

function happened(owner: string, now: Date, payload: ImagePayload): Decision<ImagePayload> {
  return { kind: 'event', event: { payload, time: now, owner } };
}

function refuse(state: Exclude<ImageState, { status: 'live' }>): Decision<never> {
  return state.status === 'absent'
    ? refused('IMAGE_NOT_FOUND', 'There is no such image.')
    : refused('IMAGE_DELETED', 'The image was deleted.');
}

function impossible(state: ImageState, payload: ImagePayload): Error {
  return new Error(`event ${payload.$case} cannot follow an image that is ${state.status}`);
}
