import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';

import { ApiError } from '../api-error.ts';
import { refusalOf } from '../errors/refusal-of.ts';
import type { StreamingMethod } from '../wire/wire-method.ts';
import { GrpcCall } from './grpc-call.ts';
import type { GrpcDoor } from './grpc-door.ts';
import { ownerOf } from './owner-of.ts';
import { pumpMessages } from './pump-messages.ts';
import { serviceError } from './service-error.ts';

/**
 * Serves a method that answers with a stream, at the pace of its reader. What was queued before the implementation
 * threw is still sent, and then the refusal.
 */
export function streamingHandler(method: StreamingMethod, door: GrpcDoor): handleServerStreamingCall<unknown, unknown> {
  return (call) => void serveStream(method, door, call);
}

async function serveStream(method: StreamingMethod, door: GrpcDoor, call: ServerWritableStream<unknown, unknown>): Promise<void> {
  const { request } = call;
  let served: GrpcCall | undefined;
  try {
    if (request instanceof ApiError) throw request;
    served = new GrpcCall(await ownerOf(door.authenticate, call), call, door.openCalls);
    await pumpMessages(method.invoke(request, served), call, method.maxQueuedMessages, door.stalledReaderTimeoutMs);
    call.end();
  } catch (thrown) {
    const refusal = refusalOf(thrown, served?.signalIfOpened, door.incidents);
    // The way in which grpc-js takes a status for a stream; a caller who left has had its own.
    if (!call.cancelled) call.emit('error', serviceError(refusal));
  }
}
