import { Client, Metadata, credentials } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';

import { EventServiceService as events } from '../gen/lehr/v1/event_service.ts';
import { ImageServiceService as images } from '../gen/lehr/v1/image_service.ts';
import { TaskServiceService as tasks } from '../gen/lehr/v1/task_service.ts';
import type { Api } from './api.ts';
import { isLoopback } from './parse/server-address.ts';
import { fromServiceError } from './service-error.ts';

/** How long a single answer may take where the caller set no `--timeout`. Verifying a log has no such bound: it reads all of it. */
export const answerTimeoutMs = 30_000;

/** A page of 1,000 tasks with all their labels may be larger than gRPC's own 4 MiB. */
const largestMessageBytes = 64 * 1024 * 1024;

/** A connection whose other end vanished without a word is noticed this much later, while a call is open. */
const keepaliveTimeMs = 30_000;

/** The window of each stream. The default of 64 KiB would make a download wait for its own acknowledgements. */
const flowControlWindowBytes = 8 * 1024 * 1024;

/** Between attempts to connect, so that a server that restarts is found again soon. */
const longestReconnectDelayMs = 500;

interface Method<Request, Response> {
  readonly path: string;
  readonly requestSerialize: (value: Request) => Buffer;
  readonly responseDeserialize: (bytes: Buffer) => Response;
}

/**
 * Connects, lazily, to the gRPC API at `address` (`host:port`), without TLS. Errors of every call are `CommandError`.
 * Close it when the command ends: an open connection keeps the process alive.
 */
export function openConnection(address: string): { readonly api: Api; readonly close: () => void } {
  const client = new Client(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': largestMessageBytes,
    'grpc.keepalive_time_ms': keepaliveTimeMs,
    'grpc.initial_reconnect_backoff_ms': longestReconnectDelayMs / 2,
    'grpc.max_reconnect_backoff_ms': longestReconnectDelayMs,
    'grpc-node.flow_control_window': flowControlWindowBytes,
    // grpc-js obeys `http_proxy`; no proxy leads to this machine.
    ...(isLoopback(address) ? { 'grpc.enable_http_proxy': 0 } : {}),
  });
  const answer = <Q, R>(method: Method<Q, R>, timeoutMs = answerTimeoutMs) =>
    (request: Q, signal: AbortSignal): Promise<R> => callOnce(client, address, method, request, timeoutMs, signal);
  const stream = <Q, R>(method: Method<Q, R>) =>
    (request: Q, signal: AbortSignal): AsyncIterable<R> => callStream(client, address, method, request, signal);
  return {
    api: {
      createTask: answer(tasks.createTask),
      getTask: answer(tasks.getTask),
      listTasks: answer(tasks.listTasks),
      cancelTask: answer(tasks.cancelTask),
      watchTasks: stream(tasks.watchTasks),
      listImages: answer(images.listImages),
      getImage: answer(images.getImage),
      updateImage: answer(images.updateImage),
      deleteImage: answer(images.deleteImage),
      readImage: stream(images.readImage),
      listEvents: answer(events.listEvents),
      streamEvents: stream(events.streamEvents),
      verifyEvents: answer(events.verifyEvents, Infinity),
    },
    close: () => client.close(),
  };
}

function callOnce<Q, R>(
  client: Client, address: string, method: Method<Q, R>, request: Q, timeoutMs: number, signal: AbortSignal,
): Promise<R> {
  signal.throwIfAborted();
  return new Promise((resolve, reject: (reason: Error) => void) => {
    const hangUp = (): void => call.cancel();
    const call = client.makeUnaryRequest(
      method.path, method.requestSerialize, method.responseDeserialize, request, new Metadata(),
      { deadline: timeoutMs === Infinity ? Infinity : Date.now() + timeoutMs },
      (error, response) => {
        signal.removeEventListener('abort', hangUp);
        if (error === null && response !== undefined) resolve(response);
        else if (signal.aborted) reject(signal.reason as Error);
        else reject(error === null ? new Error('an answer without content') : fromServiceError(error, address));
      },
    );
    signal.addEventListener('abort', hangUp, { once: true });
  });
}

async function* callStream<Q, R>(
  client: Client, address: string, method: Method<Q, R>, request: Q, signal: AbortSignal,
): AsyncGenerator<R, void, undefined> {
  signal.throwIfAborted();
  const call = client.makeServerStreamRequest(
    method.path, method.requestSerialize, method.responseDeserialize, request, new Metadata(),
  );
  // After the last message was taken an error may still come, and nobody else listens for it then.
  call.on('error', () => undefined);
  const hangUp = (): void => call.cancel();
  signal.addEventListener('abort', hangUp, { once: true });
  try {
    for await (const message of call) {
      yield message as R;
      signal.throwIfAborted();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw isServiceError(error) ? fromServiceError(error, address) : error;
  } finally {
    signal.removeEventListener('abort', hangUp);
    call.cancel();
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'details' in error && 'metadata' in error;
}
