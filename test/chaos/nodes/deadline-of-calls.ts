import { InterceptingCall } from '@grpc/grpc-js';
import type { Interceptor } from '@grpc/grpc-js';

/** A call that takes longer is given up; nobody knows then what came of it. A node that lags says so after 5 s. */
export const callTimeoutMs = 15_000;

/** Gives each call that is no stream a deadline of its own, shorter than the one that acceptance tests wait for. */
export const deadlineOfCalls: Interceptor = (options, nextCall) => {
  const { responseStream } = options.method_definition;
  return new InterceptingCall(nextCall(responseStream ? options : { ...options, deadline: Date.now() + callTimeoutMs }));
};
