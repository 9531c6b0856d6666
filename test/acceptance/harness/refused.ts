import { status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';

import { BadRequest, ErrorInfo } from '../../../src/gen/google/rpc/error_details.ts';
import { Status } from '../../../src/gen/google/rpc/status.ts';

/** What a caller is told who is refused, whatever the door. */
export interface Refusal {
  /** The name of the code in google.rpc.Code, such as `INVALID_ARGUMENT`. */
  readonly code: string;
  /** Of the one ErrorInfo; undefined where there is none, or more than one, or one of another domain. */
  readonly reason: string | undefined;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly { readonly field: string; readonly description: string }[];
}

/** A refusal that was thrown. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(`${refusal.code} ${refusal.reason ?? ''}: ${refusal.message}`, options);
    this.refusal = refusal;
  }
}

/** The refusal that `work` is answered with; throws where it succeeds or fails in another way. */
export async function refusalOf(work: Promise<unknown>): Promise<Refusal> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Refused) return error.refusal;
    throw error;
  }
  throw new Error('nothing was refused');
}

/** What a gRPC error says. */
export function refusalOfServiceError(error: ServiceError): Refused {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  const details = Buffer.isBuffer(bytes) ? Status.decode(bytes).details : [];
  const infos = details.filter(({ typeUrl }) => typeUrl === 'type.googleapis.com/google.rpc.ErrorInfo').map(({ value }) => ErrorInfo.decode(value));
  const violations = details.filter(({ typeUrl }) => typeUrl === 'type.googleapis.com/google.rpc.BadRequest')
    .flatMap(({ value }) => BadRequest.decode(value).fieldViolations);
  return new Refused({
    code: status[error.code],
    reason: onlyReason(infos),
    message: error.details,
    metadata: infos[0]?.metadata ?? {},
    violations: violations.map(({ field, description }) => ({ field, description })),
  }, { cause: error });
}

interface ConnectError {
  readonly code: string;
  readonly message: string;
  readonly details?: readonly { readonly type: string; readonly value: string }[];
}

/** What the error JSON of a Connect call says. */
export function refusalOfConnectError({ code, message, details = [] }: ConnectError): Refused {
  const of = (name: string): Buffer[] => details.filter(({ type }) => type === `google.rpc.${name}`).map(({ value }) => Buffer.from(value, 'base64'));
  const infos = of('ErrorInfo').map((value) => ErrorInfo.decode(value));
  const violations = of('BadRequest').flatMap((value) => BadRequest.decode(value).fieldViolations);
  return new Refused({
    code: code === 'canceled' ? 'CANCELLED' : code.toUpperCase(),
    reason: onlyReason(infos),
    message,
    metadata: infos[0]?.metadata ?? {},
    violations: violations.map(({ field, description }) => ({ field, description })),
  });
}

function onlyReason(infos: readonly ErrorInfo[]): string | undefined {
  return infos.length === 1 && infos[0]?.domain === 'lehr' ? infos[0].reason : undefined;
}
