import type { ApiCode } from '../api-error.ts';

/** How one code is written at each door. */
export interface StatusCode {
  /** The number of google.rpc.Code, in `grpc-status`. */
  readonly grpc: number;
  /** The word of the Connect protocol, in `code` of its error JSON. */
  readonly connect: string;
  /** The HTTP status that the Connect protocol gives the code; the plain HTTP routes use the same. */
  readonly http: number;
}

/**
 * Every code of this API in the three notations.
 *
 * Sources: google/rpc/code.proto for the numbers; the Connect protocol's "Error Codes" for words and HTTP statuses.
 */
export const statusCodes: Readonly<Record<ApiCode, StatusCode>> = {
  CANCELLED: { grpc: 1, connect: 'canceled', http: 499 },
  INVALID_ARGUMENT: { grpc: 3, connect: 'invalid_argument', http: 400 },
  DEADLINE_EXCEEDED: { grpc: 4, connect: 'deadline_exceeded', http: 504 },
  NOT_FOUND: { grpc: 5, connect: 'not_found', http: 404 },
  ALREADY_EXISTS: { grpc: 6, connect: 'already_exists', http: 409 },
  PERMISSION_DENIED: { grpc: 7, connect: 'permission_denied', http: 403 },
  RESOURCE_EXHAUSTED: { grpc: 8, connect: 'resource_exhausted', http: 429 },
  FAILED_PRECONDITION: { grpc: 9, connect: 'failed_precondition', http: 400 },
  OUT_OF_RANGE: { grpc: 11, connect: 'out_of_range', http: 400 },
  UNIMPLEMENTED: { grpc: 12, connect: 'unimplemented', http: 501 },
  INTERNAL: { grpc: 13, connect: 'internal', http: 500 },
  UNAVAILABLE: { grpc: 14, connect: 'unavailable', http: 503 },
  UNAUTHENTICATED: { grpc: 16, connect: 'unauthenticated', http: 401 },
};
