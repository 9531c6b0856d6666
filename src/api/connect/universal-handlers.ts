import type { DescMethod, DescMethodServerStreaming, DescMethodUnary, FileRegistry, Message } from '@bufbuild/protobuf';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import type { ConnectRouter, HandlerContext } from '@connectrpc/connect';
import { Code, ConnectError, createConnectRouter } from '@connectrpc/connect';
import { compressionBrotli, compressionGzip } from '@connectrpc/connect-node';

import { ApiError } from '../api-error.ts';
import type { Call } from '../call.ts';
import type { Incidents } from '../errors/incidents.ts';
import { refusalOf } from '../errors/refusal-of.ts';
import { describeMethod } from '../wire/descriptors.ts';
import { leaveOnAbort } from '../wire/leave-on-abort.ts';
import { maxRequestBytes } from '../wire/limits.ts';
import type { StreamingMethod, UnaryMethod, WireMethod } from '../wire/wire-method.ts';
import type { AskedCall } from './asked-call.ts';
import { askedCallKey } from './asked-call.ts';
import { connectError } from './connect-error.ts';

/** One method in all protocols that Connect speaks. */
export type UniversalHandler = ConnectRouter['handlers'][number];

/** Larger than any answer: nothing is compressed, since the reader is near and the processor is busy. */
const neverCompress = 0xffffffff;

/** Connect decodes JSON with this where it is given; the decoder that it takes otherwise replaces what is no UTF-8. */
const strictText = { textDecoder: new TextDecoder('utf-8', { fatal: true }) };

/**
 * Connect's handlers for `methods`, by path. JSON is strict: an unknown field is refused, where Connect by itself would
 * drop it, and with it perhaps the one setting that the caller cared about. Messages cross to the implementation as
 * bytes, so that one set of generated types serves every door.
 */
export function universalHandlers(methods: readonly WireMethod[], registry: FileRegistry, incidents: Incidents,
  stopping: AbortSignal): ReadonlyMap<string, UniversalHandler> {
  const router = createConnectRouter({
    // Plain gRPC needs HTTP/2 and has a port of its own.
    grpc: false,
    jsonOptions: { ...strictText, ignoreUnknownFields: false, registry },
    readMaxBytes: maxRequestBytes,
    compressMinBytes: neverCompress,
    acceptCompression: [compressionGzip, compressionBrotli],
    shutdownSignal: stopping,
    requestGate: (context) => admit(context, incidents),
  });
  for (const method of methods) {
    const described = describeMethod(registry, method.path);
    if (method.kind === 'unary' && isUnary(described)) addUnary(router, described, method, incidents);
    else if (method.kind === 'streaming' && isServerStreaming(described)) addStreaming(router, described, method, incidents);
    else throw new Error(`descriptors.binpb describes ${method.path} as ${described.methodKind}; run npm run generate.`);
  }
  return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
}

const isUnary = (method: DescMethod): method is DescMethod & DescMethodUnary => method.methodKind === 'unary';
const isServerStreaming = (method: DescMethod): method is DescMethod & DescMethodServerStreaming => method.methodKind === 'server_streaming';

async function admit({ values, signal }: HandlerContext, incidents: Incidents): Promise<void> {
  const asked = values.get(askedCallKey);
  try {
    asked.owner = await asked.authenticate();
  } catch (thrown) {
    throw connectError(refusalOf(thrown, signal, incidents));
  }
}

function addUnary(router: ConnectRouter, described: DescMethodUnary, method: UnaryMethod, incidents: Incidents): void {
  router.rpc(described, async (message: Message, context: HandlerContext) => {
    const call = reach(context);
    try {
      const response = await method.invoke(method.decode(toBinary(described.input, message)), call);
      return fromBinary(described.output, method.encode(response));
    } catch (thrown) {
      throw refused(thrown, call, incidents);
    }
  });
}

function addStreaming(router: ConnectRouter, described: DescMethodServerStreaming, method: StreamingMethod, incidents: Incidents): void {
  router.rpc(described, async function* (message: Message, context: HandlerContext) {
    const call = reach(context);
    try {
      const responses = method.invoke(method.decode(toBinary(described.input, message)), call);
      for await (const response of leaveOnAbort(responses, call.signal)) yield fromBinary(described.output, method.encode(response));
    } catch (thrown) {
      throw refused(thrown, call, incidents);
    }
  });
}

function reach({ values, signal }: HandlerContext): Call {
  const asked: AskedCall = values.get(askedCallKey);
  asked.reached = true;
  return { owner: asked.owner, signal };
}

function refused(thrown: unknown, { signal }: Call, incidents: Incidents): ConnectError {
  const refusal = refusalOf(thrown, signal, incidents);
  const late = refusal.code === 'CANCELLED' && signal.reason instanceof ConnectError && signal.reason.code === Code.DeadlineExceeded;
  return connectError(late ? deadlineExceeded() : refusal);
}

const deadlineExceeded = (): ApiError => new ApiError('DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED', 'The deadline of the call has passed.');
