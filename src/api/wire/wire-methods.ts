import type { FileRegistry } from '@bufbuild/protobuf';
import type { BinaryWriter } from '@bufbuild/protobuf/wire';

import * as events from '../../gen/lehr/v1/event_service.ts';
import * as images from '../../gen/lehr/v1/image_service.ts';
import * as tasks from '../../gen/lehr/v1/task_service.ts';
import { invalidArgument } from '../api-error.ts';
import type { Call, Services } from '../call.ts';
import type { Decoder } from './decode-request.ts';
import { decodeRequest } from './decode-request.ts';
import { describeMethod } from './descriptors.ts';
import { unknownEnumSearch } from './unknown-enums.ts';
import type { StreamingMethod, UnaryMethod, WireMethod } from './wire-method.ts';

/** Small messages that may wait for a slow reader; more would only be memory. */
const queuedMessages = 16;

/** Pieces of an image that may wait for a slow reader: one on its way, one behind it. A piece is of the order of a MiB. */
const queuedPieces = 2;

const taskService = '/lehr.v1.TaskService';
const imageService = '/lehr.v1.ImageService';
const eventService = '/lehr.v1.EventService';

interface Encoder<Message> {
  encode(message: Message): BinaryWriter;
}

/** All methods of the API, bound to their implementation. The one list that every door is built from. */
export function wireMethods({ tasks: t, images: i, events: e }: Services, registry: FileRegistry): readonly WireMethod[] {
  const codec = <Q, R>(path: string, request: Decoder<Q>, response: Encoder<R>): Omit<UnaryMethod, 'kind' | 'invoke'> => ({
    path,
    decode: checkedDecode(registry, path, request),
    encode: (message) => response.encode(message as R).finish(),
  });
  const unary = <Q, R>(path: string, request: Decoder<Q>, response: Encoder<R>,
    invoke: (request: Q, call: Call) => Promise<R>): UnaryMethod =>
    ({ kind: 'unary', ...codec(path, request, response), invoke: (message, call) => invoke(message as Q, call) });
  const streaming = <Q, R>(path: string, request: Decoder<Q>, response: Encoder<R>,
    invoke: (request: Q, call: Call) => AsyncIterable<R>, maxQueuedMessages = queuedMessages): StreamingMethod =>
    ({ kind: 'streaming', ...codec(path, request, response), maxQueuedMessages, invoke: (message, call) => invoke(message as Q, call) });

  return [
    unary(`${taskService}/CreateTask`, tasks.CreateTaskRequest, tasks.CreateTaskResponse, (q, call) => t.createTask(q, call)),
    unary(`${taskService}/GetTask`, tasks.GetTaskRequest, tasks.GetTaskResponse, (q, call) => t.getTask(q, call)),
    unary(`${taskService}/ListTasks`, tasks.ListTasksRequest, tasks.ListTasksResponse, (q, call) => t.listTasks(q, call)),
    unary(`${taskService}/CancelTask`, tasks.CancelTaskRequest, tasks.CancelTaskResponse, (q, call) => t.cancelTask(q, call)),
    streaming(`${taskService}/WatchTasks`, tasks.WatchTasksRequest, tasks.WatchTasksResponse, (q, call) => t.watchTasks(q, call)),
    unary(`${imageService}/ListImages`, images.ListImagesRequest, images.ListImagesResponse, (q, call) => i.listImages(q, call)),
    unary(`${imageService}/GetImage`, images.GetImageRequest, images.GetImageResponse, (q, call) => i.getImage(q, call)),
    unary(`${imageService}/UpdateImage`, images.UpdateImageRequest, images.UpdateImageResponse, (q, call) => i.updateImage(q, call)),
    unary(`${imageService}/DeleteImage`, images.DeleteImageRequest, images.DeleteImageResponse, (q, call) => i.deleteImage(q, call)),
    streaming(`${imageService}/ReadImage`, images.ReadImageRequest, images.ReadImageResponse, (q, call) => i.readImage(q, call), queuedPieces),
    unary(`${eventService}/ListEvents`, events.ListEventsRequest, events.ListEventsResponse, (q, call) => e.listEvents(q, call)),
    streaming(`${eventService}/StreamEvents`, events.StreamEventsRequest, events.StreamEventsResponse, (q, call) => e.streamEvents(q, call)),
    unary(`${eventService}/VerifyEvents`, events.VerifyEventsRequest, events.VerifyEventsResponse, (q, call) => e.verifyEvents(q, call)),
  ];
}

function checkedDecode<Q>(registry: FileRegistry, path: string, request: Decoder<Q>): (bytes: Uint8Array) => Q {
  const unknownEnums = unknownEnumSearch(describeMethod(registry, path).input);
  if (unknownEnums === undefined) return (bytes) => decodeRequest(request, bytes);
  return (bytes) => {
    const message = decodeRequest(request, bytes);
    const violations = unknownEnums(message);
    if (violations.length > 0) throw invalidArgument(violations);
    return message;
  };
}
