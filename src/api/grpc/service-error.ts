import { Metadata, status } from '@grpc/grpc-js';

import type { ApiError } from '../api-error.ts';
import { messageLimit, shorten } from '../errors/shorten.ts';
import { statusBytes } from '../errors/status-of.ts';

/** The trailer that carries google.rpc.Status. */
export const statusDetailsKey = 'grpc-status-details-bin';

/** A failed status as grpc-js sends it. */
export interface FailedStatus {
  readonly code: status;
  readonly details: string;
  readonly metadata: Metadata;
}

/** The refusal as code, message and `grpc-status-details-bin`. */
export function serviceError(refusal: ApiError): FailedStatus {
  const metadata = new Metadata();
  metadata.set(statusDetailsKey, statusBytes(refusal));
  return { code: status[refusal.code], details: shorten(refusal.message, messageLimit), metadata };
}
