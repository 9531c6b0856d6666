import { Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import type { ServerWritableStream, UntypedServiceImplementation, sendUnaryData } from '@grpc/grpc-js';

import { BadRequest, ErrorInfo } from '../../src/gen/google/rpc/error_details.ts';
import { Status } from '../../src/gen/google/rpc/status.ts';
import { EventServiceService } from '../../src/gen/lehr/v1/event_service.ts';
import type * as events from '../../src/gen/lehr/v1/event_service.ts';
import { ImageServiceService } from '../../src/gen/lehr/v1/image_service.ts';
import type * as images from '../../src/gen/lehr/v1/image_service.ts';
import { TaskServiceService } from '../../src/gen/lehr/v1/task_service.ts';
import type * as tasks from '../../src/gen/lehr/v1/task_service.ts';

type Unary<Q, R> = (request: Q) => R | Promise<R>;
type Streaming<Q, R> = (request: Q, call: ServerWritableStream<Q, R>) => void | Promise<void>;

/** What a test's server answers; a method that is not given is UNIMPLEMENTED. A `Refusal` that is thrown goes to the client. */
export interface StubMethods {
  readonly createTask?: Unary<tasks.CreateTaskRequest, tasks.CreateTaskResponse>;
  readonly getTask?: Unary<tasks.GetTaskRequest, tasks.GetTaskResponse>;
  readonly listTasks?: Unary<tasks.ListTasksRequest, tasks.ListTasksResponse>;
  readonly cancelTask?: Unary<tasks.CancelTaskRequest, tasks.CancelTaskResponse>;
  readonly watchTasks?: Streaming<tasks.WatchTasksRequest, tasks.WatchTasksResponse>;
  readonly listImages?: Unary<images.ListImagesRequest, images.ListImagesResponse>;
  readonly getImage?: Unary<images.GetImageRequest, images.GetImageResponse>;
  readonly updateImage?: Unary<images.UpdateImageRequest, images.UpdateImageResponse>;
  readonly deleteImage?: Unary<images.DeleteImageRequest, images.DeleteImageResponse>;
  readonly readImage?: Streaming<images.ReadImageRequest, images.ReadImageResponse>;
  readonly listEvents?: Unary<events.ListEventsRequest, events.ListEventsResponse>;
  readonly streamEvents?: Streaming<events.StreamEventsRequest, events.StreamEventsResponse>;
  readonly verifyEvents?: Unary<events.VerifyEventsRequest, events.VerifyEventsResponse>;
}

/** An error as the real server sends it: google.rpc.Status with an ErrorInfo and, where there are any, field violations. */
export class Refusal extends Error {
  readonly code: keyof typeof status;
  readonly metadata = new Metadata();

  constructor(
    code: keyof typeof status, reason: string, message: string, violations: readonly { field: string; description: string }[] = [],
  ) {
    super(message);
    this.code = code;
    const detail = (name: string, value: Uint8Array): { typeUrl: string; value: Buffer } => ({
      typeUrl: `type.googleapis.com/google.rpc.${name}`, value: Buffer.from(value),
    });
    const details = [detail('ErrorInfo', ErrorInfo.encode(ErrorInfo.create({ reason, domain: 'lehr' })).finish())];
    if (violations.length > 0) details.push(detail('BadRequest', BadRequest.encode(BadRequest.fromPartial({ fieldViolations: [...violations] })).finish()));
    this.metadata.set('grpc-status-details-bin', Buffer.from(Status.encode({ code: status[code], message, details }).finish()));
  }

  toStatus(): { code: status; details: string; metadata: Metadata } {
    return { code: status[this.code], details: this.message, metadata: this.metadata };
  }
}

/** A gRPC server made of the generated service definitions and nothing of the real one. */
export interface StubServer {
  readonly address: string;
  readonly port: number;
  /** Goes away like a process that is killed: every connection drops. */
  readonly kill: () => void;
}

/** Starts a stub on loopback; port 0 picks a free one. */
export async function startStub(methods: StubMethods, port = 0): Promise<StubServer> {
  const server = new Server({ 'grpc.max_receive_message_length': -1 });
  for (const service of [TaskServiceService, ImageServiceService, EventServiceService]) {
    const implementation: UntypedServiceImplementation = {};
    for (const [name, { responseStream }] of Object.entries(service)) {
      const method: unknown = methods[name as keyof StubMethods];
      if (typeof method === 'function') implementation[name] = responseStream
        ? streaming(method as Streaming<unknown, unknown>)
        : unary(method as Unary<unknown, unknown>);
    }
    server.addService(service, implementation);
  }
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, given) => {
      if (error === null) resolve(given);
      else reject(error);
    });
  });
  return { address: `127.0.0.1:${bound}`, port: bound, kill: () => server.forceShutdown() };
}

function unary(method: Unary<unknown, unknown>) {
  return (call: { readonly request: unknown }, callback: sendUnaryData<unknown>): void => {
    Promise.resolve(call.request).then(method).then(
      (response) => callback(null, response),
      (error: unknown) => callback(error instanceof Refusal ? error.toStatus() : { code: status.INTERNAL, details: String(error) }),
    );
  };
}

function streaming(method: Streaming<unknown, unknown>) {
  return (call: ServerWritableStream<unknown, unknown>): void => {
    Promise.resolve(call.request).then((request) => method(request, call)).catch((error: unknown) => {
      call.emit('error', error instanceof Refusal ? error.toStatus() : { code: status.INTERNAL, details: String(error) });
    });
  };
}
