import type { handleUnaryCall } from '@grpc/grpc-js';

import { ApiError } from '../api-error.ts';
import { refusalOf } from '../errors/refusal-of.ts';
import type { UnaryMethod } from '../wire/wire-method.ts';
import { GrpcCall } from './grpc-call.ts';
import type { GrpcDoor } from './grpc-door.ts';
import { ownerOf } from './owner-of.ts';
import { serviceError } from './service-error.ts';

/**
 * Serves a method that answers once. The request is what `decode` made of the bytes, or the `ApiError` that it refused
 * them with. Callbacks instead of an async function: each promise on this path is felt at ten thousand calls a second.
 */
export function unaryHandler(method: UnaryMethod, door: GrpcDoor): handleUnaryCall<unknown, unknown> {
  return (call, answer) => {
    const { request } = call;
    let served: GrpcCall | undefined;
    const refuse = (thrown: unknown): void => answer(serviceError(refusalOf(thrown, served?.signalIfOpened, door.incidents)));
    const serve = (owner: string): void => {
      served = new GrpcCall(owner, call, door.openCalls);
      method.invoke(request, served).then((response) => answer(null, response), refuse);
    };
    try {
      if (request instanceof ApiError) throw request;
      const owner = ownerOf(door.authenticate, call);
      if (typeof owner === 'string') serve(owner);
      else owner.then(serve).catch(refuse);
    } catch (thrown) {
      refuse(thrown);
    }
  };
}
