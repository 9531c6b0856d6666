import { createRequire } from 'node:module';

/** What kafkajs keeps for each connection, as far as it matters here. */
interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests: (this: RequestQueue) => void;
}

let isDone = false;

/**
 * Has the connections of kafkajs 2.2.4 rest while no request waits. By itself each of them looks every millisecond for requests that
 * wait: it asks for a timer with a negative time, and again when that is over, which costs a node several percent of a processor. A
 * request that comes to wait has the look scheduled as before.
 */
export function quietQueues(): void {
  if (isDone) return;
  isDone = true;
  const { prototype } = createRequire(import.meta.url)('kafkajs/src/network/requestQueue') as { readonly prototype: RequestQueue };
  const schedule = prototype.scheduleCheckPendingRequests;
  prototype.scheduleCheckPendingRequests = function scheduleWhereOneWaits(): void {
    if (this.pending.length > 0) schedule.call(this);
  };
}
