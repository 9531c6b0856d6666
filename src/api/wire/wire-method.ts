import type { Call } from '../call.ts';

interface MethodBase {
  /** `/lehr.v1.TaskService/GetTask`: the path of the method at every door. */
  readonly path: string;
  /** Decodes a request; throws `ApiError` for bytes or enum numbers that are not to be understood. */
  readonly decode: (bytes: Uint8Array) => unknown;
  /** Encodes what `invoke` gave. */
  readonly encode: (response: unknown) => Uint8Array;
}

/** A method that answers once. */
export interface UnaryMethod extends MethodBase {
  readonly kind: 'unary';
  /** Calls the implementation with what `decode` gave. */
  readonly invoke: (request: unknown, call: Call) => Promise<unknown>;
}

/** A method that answers with a stream. */
export interface StreamingMethod extends MethodBase {
  readonly kind: 'streaming';
  readonly invoke: (request: unknown, call: Call) => AsyncIterable<unknown>;
  /** How many messages may wait for a slow reader before the implementation is asked for no more. */
  readonly maxQueuedMessages: number;
}

/** One method of the API as a door sees it: bytes in, bytes out, types erased. */
export type WireMethod = UnaryMethod | StreamingMethod;
