import type { FileRegistry } from '@bufbuild/protobuf';
import type { BinaryWriter } from '@bufbuild/protobuf/wire';

import * as events from '../../gen/lehr/v1/event_service.ts';
import * as images from '../../gen/lehr/v1/image_service.ts';
import * as tasks from '../../gen/lehr/v1/task_service.ts';
import { invalidArgument } from '../api-error.ts';
import type { Call, Services } from '../call.ts';
import type { Decoder } from './decode-request.ts';
import { decodeRequest } from './decode-request.ts';
import { unknownEnumSearch } from './unknown-enums.ts';
import type { StreamingMethod, UnaryMethod, WireMethod } from './wire-method.ts';

/** Small messages that may wait for a slow reader; more would only be memory. */
const queuedMessages = 16;

/** Pieces of an image that may wait for a slow reader: one on its way, one behind it. A piece is of the order of a MiB. */
const queuedPieces = 2;

interface Encoder<Message> {
  encode(message: Message): BinaryWriter;
}

/** All methods of the API, bound to their implementation. The one list that every door is built from. */
export function wireMethods(services: Services, registry: FileRegistry): readonly WireMethod[] {
  const { unary, streaming } = methodMakers(registry);
  const { tasks: t, images: i, events: e } = services;
  return [
    unary('lehr.v1.TaskService', 'CreateTask', tasks.CreateTaskRequest, tasks.CreateTaskResponse, (q, c) => t.createTask(q, c)),
    unary('lehr.v1.TaskService', 'GetTask', tasks.GetTaskRequest, tasks.GetTaskResponse, (q, c) => t.getTask(q, c)),
    unary('lehr.v1.TaskService', 'ListTasks', tasks.ListTasksRequest, tasks.ListTasksResponse, (q, c) => t.listTasks(q, c)),
    unary('lehr.v1.TaskService', 'CancelTask', tasks.CancelTaskRequest, tasks.CancelTaskResponse, (q, c) => t.cancelTask(q, c)),
    streaming('lehr.v1.TaskService', 'WatchTasks', tasks.WatchTasksRequest, tasks.WatchTasksResponse, (q, c) => t.watchTasks(q, c)),
    unary('lehr.v1.ImageService', 'ListImages', images.ListImagesRequest, images.ListImagesResponse, (q, c) => i.listImages(q, c)),
    unary('lehr.v1.ImageService', 'GetImage', images.GetImageRequest, images.GetImageResponse, (q, c) => i.getImage(q, c)),
    unary('lehr.v1.ImageService', 'UpdateImage', images.UpdateImageRequest, images.UpdateImageResponse, (q, c) => i.updateImage(q, c)),
    unary('lehr.v1.ImageService', 'DeleteImage', images.DeleteImageRequest, images.DeleteImageResponse, (q, c) => i.deleteImage(q, c)),
    { ...streaming('lehr.v1.ImageService', 'ReadImage', images.ReadImageRequest, images.ReadImageResponse, (q, c) => i.readImage(q, c)),
      maxQueuedMessages: queuedPieces },
    unary('lehr.v1.EventService', 'ListEvents', events.ListEventsRequest, events.ListEventsResponse, (q, c) => e.listEvents(q, c)),
    streaming('lehr.v1.EventService', 'StreamEvents', events.StreamEventsRequest, events.StreamEventsResponse, (q, c) => e.streamEvents(q, c)),
    unary('lehr.v1.EventService', 'VerifyEvents', events.VerifyEventsRequest, events.VerifyEventsResponse, (q, c) => e.verifyEvents(q, c)),
  ];
}

function methodMakers(registry: FileRegistry) {
  const base = <Q, R>(service: string, method: string, request: Decoder<Q>, response: Encoder<R>): Omit<UnaryMethod, 'kind' | 'invoke'> => ({
    path: `/${service}/${method}`,
    decode: checkedDecode(registry, service, method, request),
    encode: (message) => response.encode(message as R).finish(),
  });
  return {
    unary<Q, R>(service: string, method: string, request: Decoder<Q>, response: Encoder<R>,
      invoke: (request: Q, call: Call) => Promise<R>): UnaryMethod {
      return { kind: 'unary', ...base(service, method, request, response), invoke: (message, call) => invoke(message as Q, call) };
    },
    streaming<Q, R>(service: string, method: string, request: Decoder<Q>, response: Encoder<R>,
      invoke: (request: Q, call: Call) => AsyncIterable<R>): StreamingMethod {
      return {
        kind: 'streaming', ...base(service, method, request, response), maxQueuedMessages: queuedMessages,
        invoke: (message, call) => invoke(message as Q, call),
      };
    },
  };
}

function checkedDecode<Q>(registry: FileRegistry, service: string, method: string, request: Decoder<Q>): (bytes: Uint8Array) => Q {
  const described = registry.getService(service)?.methods.find(({ name }) => name === method);
  if (described === undefined) throw new Error(`descriptors.binpb does not describe ${service}/${method}; run npm run generate.`);
  const unknownEnums = unknownEnumSearch(described.input);
  if (unknownEnums === undefined) return (bytes) => decodeRequest(request, bytes);
  return (bytes) => {
    const message = decodeRequest(request, bytes);
    const violations = unknownEnums(message);
    if (violations.length > 0) throw invalidArgument(violations);
    return message;
  };
}
