import type { DescMessage } from '@bufbuild/protobuf';
import type { ContextKey } from '@connectrpc/connect';
import { createContextKey } from '@connectrpc/connect';

/** What is known of one call on its way through Connect's handlers. */
export interface AskedCall {
  /** Names the tenant; asked once the headers are read. */
  readonly authenticate: () => string | Promise<string>;
  /** Set when `authenticate` has answered. */
  owner: string;
  /** Whether the request was understood and reached the implementation: errors before that are the caller's fault. */
  reached: boolean;
  /** The type of its request. */
  readonly input: DescMessage | undefined;
  /** What has come of its body; the same memory that the handlers read, bounded by `maxRequestBytes`. */
  readonly body: Uint8Array[];
}

/** Where the handlers find the call they serve. */
export const askedCallKey: ContextKey<AskedCall> = createContextKey<AskedCall>(
  { authenticate: () => { throw new Error('A call came without its AskedCall.'); }, owner: '', reached: false, input: undefined, body: [] },
  { description: 'the call that is served' },
);
