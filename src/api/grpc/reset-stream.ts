import { constants } from 'node:http2';
import type { ServerHttp2Stream } from 'node:http2';

import type { ServerWritableStream } from '@grpc/grpc-js';

/**
 * Resets the HTTP/2 stream under a call, with all that is queued on it. grpc-js has no way to end a call whose reader
 * takes nothing, since a status would queue behind the messages; so this reaches for the stream that it holds. Where a
 * later grpc-js holds it elsewhere the call stays open, bounded in memory; a test notices.
 */
export function resetStream(call: ServerWritableStream<unknown, unknown>): void {
  const { call: inner } = call as unknown as { readonly call?: { readonly stream?: ServerHttp2Stream } };
  inner?.stream?.close(constants.NGHTTP2_CANCEL);
}
