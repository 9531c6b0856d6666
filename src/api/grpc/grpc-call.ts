import type { ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';

import type { Call } from '../call.ts';
import { callerLeft } from '../errors/refusal-of.ts';

/** A call of grpc-js that has one request. */
export type ServerCall = ServerUnaryCall<unknown, unknown> | ServerWritableStream<unknown, unknown>;

/**
 * The `Call` that an implementation sees. Its signal is made when first asked for: most reads answer without it, and
 * it would cost them more than the rest of the handler.
 */
export class GrpcCall implements Call {
  readonly owner: string;
  readonly #call: ServerCall;
  readonly #openCalls: Set<AbortController>;
  #controller: AbortController | undefined;

  constructor(owner: string, call: ServerCall, openCalls: Set<AbortController>) {
    this.owner = owner;
    this.#call = call;
    this.#openCalls = openCalls;
  }

  get signal(): AbortSignal {
    this.#controller ??= this.#open();
    return this.#controller.signal;
  }

  /** The signal where somebody asked for it. */
  get signalIfOpened(): AbortSignal | undefined {
    return this.#controller?.signal;
  }

  #open(): AbortController {
    const controller = new AbortController();
    const end = (): void => {
      this.#openCalls.delete(controller);
      controller.abort(callerLeft());
    };
    // grpc-js reports every end of a call so: the caller's leaving, its deadline, and the answer itself.
    if (this.#call.cancelled) end();
    else {
      this.#openCalls.add(controller);
      this.#call.once('cancelled', end);
    }
    return controller;
  }
}
