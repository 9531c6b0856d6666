import type { Failure, Reason } from '../gen/lehr/v1/failure.ts';

/** The part of a reason's name that differs from value to value: `SOURCE_UNREACHABLE`. */
export type ReasonName = Exclude<Suffix<Reason>, 'UNSPECIFIED'>;

type Suffix<R> = R extends `REASON_${infer Name}` ? Name : never;

/**
 * Whether another attempt may succeed without anybody changing the request. The documentation of each value, with its
 * cause and remedy, stands in `proto/lehr/v1/failure.proto`; a test holds the two together.
 */
export const isRetryableReason: Readonly<Record<ReasonName, boolean>> = {
  SOURCE_UNREACHABLE: true,
  SOURCE_NOT_FOUND: false,
  SOURCE_FORBIDDEN: false,
  SOURCE_NOT_ALLOWED: false,
  SOURCE_TRUNCATED: true,
  SOURCE_CHANGED: true,
  SOURCE_TOO_LARGE: false,
  SOURCE_TOO_SLOW: true,
  SOURCE_ERROR: true,
  NOT_A_DISK_IMAGE: false,
  DIGEST_MISMATCH: false,
  FORMAT_MISMATCH: false,
  FORMAT_UNSUPPORTED: false,
  IMAGE_UNSAFE: false,
  IMAGE_CORRUPT: false,
  DECOMPRESSION_LIMIT: false,
  MALWARE_FOUND: false,
  SCAN_INCOMPLETE: true,
  CHECK_REFUSED: false,
  CONVERSION_FAILED: false,
  IMAGE_NOT_FOUND: false,
  DESTINATION_UNREACHABLE: true,
  DESTINATION_FORBIDDEN: false,
  DESTINATION_NOT_ALLOWED: false,
  DESTINATION_EXISTS: false,
  DESTINATION_FULL: true,
  STORE_FULL: true,
  STORE_UNAVAILABLE: true,
  REGION_UNREACHABLE: true,
  QUOTA_EXCEEDED: false,
  DEADLINE_EXCEEDED: true,
  ATTEMPTS_EXHAUSTED: false,
  WORKER_FAULT: true,
  TOO_MANY_PROPERTIES: false,
};

/** At most so many characters of a failure's message are kept. */
export const failureMessageLimit = 1_000;

/**
 * Builds a failure. `message` says what was seen and what to do, to a person, without secrets; `stage` is filled in by
 * whoever runs the stage.
 */
export function failure(
  reason: ReasonName,
  message: string,
  metadata: Readonly<Record<string, string>> = {},
  retryable: boolean = isRetryableReason[reason],
): Failure {
  return {
    reason: `REASON_${reason}`,
    stage: '',
    message: message.slice(0, failureMessageLimit),
    metadata: { ...metadata },
    retryable,
  };
}

/** Carries a failure out of code that is deep in a stream; caught where the stage ends and never beyond. */
export class FailureError extends Error {
  override readonly name = 'FailureError';
  readonly failure: Failure;

  constructor(value: Failure, options?: ErrorOptions) {
    super(value.message, options);
    this.failure = value;
  }
}
