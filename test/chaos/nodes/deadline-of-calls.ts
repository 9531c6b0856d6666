import { InterceptingCall } from '@grpc/grpc-js';
import type { Interceptor } from '@grpc/grpc-js';

/** A call that takes longer is given up; nobody knows then what came of it. A node that lags says so after 5 s. */
export const callTimeoutMs = 15_000;

/** Gives each call on a task a deadline of its own, shorter than the one that acceptance tests wait for. */
export const deadlineOfCalls: Interceptor = (options, nextCall) => {
  const { path, responseStream } = options.method_definition;
  const isOnTask = path.startsWith('/lehr.v1.TaskService/') && !responseStream;
  return new InterceptingCall(nextCall(isOnTask ? { ...options, deadline: Date.now() + callTimeoutMs } : options));
};
