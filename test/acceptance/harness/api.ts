import { Client, credentials, Metadata } from '@grpc/grpc-js';
import type { ChannelOptions, ClientReadableStream, ServiceError } from '@grpc/grpc-js';

import * as events from '../../../src/gen/lehr/v1/event_service.ts';
import * as images from '../../../src/gen/lehr/v1/image_service.ts';
import * as tasks from '../../../src/gen/lehr/v1/task_service.ts';
import type { Part } from './part.ts';
import { refusalOfServiceError } from './refused.ts';

/** An answer that takes longer has hung. */
const answerTimeoutMs = 60_000;

interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

interface Message<M> {
  fromPartial(partial: never): M;
}

/** The whole API over gRPC. Fields that a request leaves out have their defaults; a refusal is thrown as `Refused`. */
export type Api = ReturnType<typeof connectApi>['api'];

/** Connects, lazily, to a server's gRPC port. Leaving the loop over a stream cancels it. */
// eslint-disable-next-line @typescript-eslint/explicit-module-boundary-types -- what it returns is the definition of Api.
export function connectApi(address: string, options: ChannelOptions = {}) {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1, 'grpc.enable_http_proxy': 0, ...options,
  });
  const unary = <Q, R>(method: Method<Q, R>, message: Message<Q>) => (request: Part<Q>): Promise<R> =>
    new Promise((resolve, reject: (reason: Error) => void) => {
      client.makeUnaryRequest(
        method.path, method.requestSerialize, method.responseDeserialize, message.fromPartial(request as never), new Metadata(),
        { deadline: Date.now() + answerTimeoutMs },
        (error, response) => {
          if (error !== null) reject(refusalOfServiceError(error));
          else if (response === undefined) reject(new Error('an answer without content'));
          else resolve(response);
        },
      );
    });
  const open = <Q, R>(method: Method<Q, R>, message: Message<Q>) => (request: Part<Q>): ClientReadableStream<R> =>
    client.makeServerStreamRequest(
      method.path, method.requestSerialize, method.responseDeserialize, message.fromPartial(request as never), new Metadata(),
    );
  const stream = <Q, R>(method: Method<Q, R>, message: Message<Q>) => (request: Part<Q>): AsyncGenerator<R, void, undefined> =>
    messagesOf(open(method, message)(request));
  return {
    close: (): void => client.close(),
    api: {
      createTask: unary(tasks.TaskServiceService.createTask, tasks.CreateTaskRequest),
      getTask: unary(tasks.TaskServiceService.getTask, tasks.GetTaskRequest),
      listTasks: unary(tasks.TaskServiceService.listTasks, tasks.ListTasksRequest),
      cancelTask: unary(tasks.TaskServiceService.cancelTask, tasks.CancelTaskRequest),
      watchTasks: stream(tasks.TaskServiceService.watchTasks, tasks.WatchTasksRequest),
      /** The same as a stream that is not read unless the caller does. */
      openWatch: open(tasks.TaskServiceService.watchTasks, tasks.WatchTasksRequest),
      listImages: unary(images.ImageServiceService.listImages, images.ListImagesRequest),
      getImage: unary(images.ImageServiceService.getImage, images.GetImageRequest),
      updateImage: unary(images.ImageServiceService.updateImage, images.UpdateImageRequest),
      deleteImage: unary(images.ImageServiceService.deleteImage, images.DeleteImageRequest),
      readImage: stream(images.ImageServiceService.readImage, images.ReadImageRequest),
      listEvents: unary(events.EventServiceService.listEvents, events.ListEventsRequest),
      streamEvents: stream(events.EventServiceService.streamEvents, events.StreamEventsRequest),
      verifyEvents: unary(events.EventServiceService.verifyEvents, events.VerifyEventsRequest),
    },
  };
}

async function* messagesOf<R>(call: ClientReadableStream<R>): AsyncGenerator<R, void, undefined> {
  // An error may still come when nobody reads any more.
  call.on('error', () => undefined);
  try {
    for await (const message of call) yield message as R;
  } catch (error) {
    throw isServiceError(error) ? refusalOfServiceError(error) : error;
  } finally {
    call.cancel();
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'metadata' in error;
}
