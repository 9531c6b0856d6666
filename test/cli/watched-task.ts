import type { ServerWritableStream } from '@grpc/grpc-js';

import type { WatchTasksRequest, WatchTasksResponse } from '../../src/gen/lehr/v1/task_service.ts';

/** The server's end of one watch. */
export interface OpenWatch {
  readonly request: WatchTasksRequest;
  readonly send: (...messages: readonly NonNullable<WatchTasksResponse['message']>[]) => void;
  readonly call: ServerWritableStream<WatchTasksRequest, WatchTasksResponse>;
}

/** Hands each watch that a client opens to the test, one after the other. */
export interface Watches {
  readonly watchTasks: (request: WatchTasksRequest, call: OpenWatch['call']) => void;
  /** The next watch, as soon as it is open. */
  readonly next: () => Promise<OpenWatch>;
}

/** Watches that a test answers by hand. */
export function watchesByHand(): Watches {
  const opened: OpenWatch[] = [];
  const awaited: ((watch: OpenWatch) => void)[] = [];
  return {
    watchTasks: (request, call) => {
      // A client that is killed or hangs up is part of the tests.
      call.on('error', () => undefined);
      const watch: OpenWatch = { request, call, send: (...messages) => messages.forEach((message) => call.write({ message })) };
      const taker = awaited.shift();
      if (taker === undefined) opened.push(watch);
      else taker(watch);
    },
    next: () => new Promise((resolve) => {
      const watch = opened.shift();
      if (watch === undefined) awaited.push(resolve);
      else resolve(watch);
    }),
  };
}
