import type { ServerOptions } from '@grpc/grpc-js';

import { maxRequestBytes } from '../wire/limits.ts';

/** Calls that one connection may have open at once; a client with more waits for one to end. */
export const maxCallsPerConnection = 1000;

/**
 * After so long without a word from a client the server asks whether it is still there. Only the server asks: it has
 * no limit on how often clients may ask, so eager keepalives of theirs never get them sent away.
 */
export const keepaliveTimeMs = 60_000;

/** A client that does not answer within this is gone, and its calls are cancelled. */
export const keepaliveTimeoutMs = 20_000;

/**
 * What the gRPC server is made with. Statistics for channelz are off: nothing reads them and every call would pay.
 * HTTP/2 windows towards clients are the clients' to raise (`grpc-node.flow_control_window` in grpc-js; others measure).
 */
export const serverOptions: ServerOptions = {
  'grpc.max_receive_message_length': maxRequestBytes,
  'grpc.max_concurrent_streams': maxCallsPerConnection,
  'grpc.keepalive_time_ms': keepaliveTimeMs,
  'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
  'grpc.enable_channelz': 0,
};
