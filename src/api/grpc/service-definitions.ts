import type { ServiceDefinition, UntypedHandleCall } from '@grpc/grpc-js';

import { ApiError } from '../api-error.ts';
import { malformedRequest } from '../wire/decode-request.ts';
import type { WireMethod } from '../wire/wire-method.ts';
import type { GrpcDoor } from './grpc-door.ts';
import { streamingHandler } from './streaming-handler.ts';
import { unaryHandler } from './unary-handler.ts';

/** All methods as grpc-js registers them. */
export function serviceDefinition(methods: readonly WireMethod[]): ServiceDefinition {
  return Object.fromEntries(methods.map((method) => [method.path, {
    path: method.path,
    requestStream: false,
    responseStream: method.kind === 'streaming',
    requestSerialize: unused,
    requestDeserialize: (bytes: Buffer) => decodeOrRefuse(method, bytes),
    responseSerialize: (response: unknown) => asBuffer(method.encode(response)),
    responseDeserialize: unused,
  }]));
}

/** The handlers that belong to `serviceDefinition`. */
export function serviceHandlers(methods: readonly WireMethod[], door: GrpcDoor): Record<string, UntypedHandleCall> {
  return Object.fromEntries(methods.map((method) =>
    [method.path, method.kind === 'unary' ? unaryHandler(method, door) : streamingHandler(method, door)]));
}

/** The refusal is handed on as if it were the request: grpc-js would make INTERNAL of anything thrown here. */
function decodeOrRefuse(method: WireMethod, bytes: Buffer): unknown {
  try {
    return method.decode(bytes);
  } catch (thrown) {
    return thrown instanceof ApiError ? thrown : malformedRequest('The request could not be read.', thrown);
  }
}

const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function unused(): never {
  throw new Error('A server neither writes requests nor reads responses.');
}
