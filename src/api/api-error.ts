/** The codes that this API answers with (google.rpc.Code). Only `UNAVAILABLE` means "the same again later". */
export type ApiCode =
  | 'CANCELLED'
  | 'INVALID_ARGUMENT'
  | 'DEADLINE_EXCEEDED'
  | 'NOT_FOUND'
  | 'ALREADY_EXISTS'
  | 'PERMISSION_DENIED'
  | 'UNAUTHENTICATED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'OUT_OF_RANGE'
  | 'UNIMPLEMENTED'
  | 'INTERNAL'
  | 'UNAVAILABLE';

/** One field of a request that is not as it must be (google.rpc.BadRequest.FieldViolation). */
export interface FieldViolation {
  /** Path in the request, such as `spec.import_image.source_uri`. */
  readonly field: string;
  /** What is wrong and what to send instead. */
  readonly description: string;
}

/**
 * A refusal on its way to the caller. Every door turns it into google.rpc.Status with exactly one ErrorInfo (domain
 * `lehr`, `reason`, `metadata`) and, where there are violations, one BadRequest. `message` is for a person, without secrets.
 */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly code: ApiCode;
  /** UPPER_SNAKE_CASE (AIP-193); documented in `docs/reference/errors.md`. */
  readonly reason: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly violations: readonly FieldViolation[];

  constructor(
    code: ApiCode,
    reason: string,
    message: string,
    details: {
      readonly metadata?: Readonly<Record<string, string>>;
      readonly violations?: readonly FieldViolation[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.code = code;
    this.reason = reason;
    this.metadata = details.metadata ?? {};
    this.violations = details.violations ?? [];
  }
}

/** INVALID_ARGUMENT with its violations; the message repeats the first. `violations` must not be empty. */
export function invalidArgument(violations: readonly FieldViolation[]): ApiError {
  const [first] = violations;
  const more = violations.length > 1 ? ` (and ${violations.length - 1} more)` : '';
  return new ApiError('INVALID_ARGUMENT', 'INVALID_REQUEST', `${first?.field ?? 'request'}: ${first?.description ?? 'is not valid'}${more}`, { violations });
}
