import { exitCodes } from './exit-codes.ts';
import type { ExitCode } from './exit-codes.ts';

/** One field of a request that the server did not accept. */
export interface Violation {
  /** Path in the request, such as `spec.import_image.source_uri`. */
  readonly field: string;
  readonly description: string;
}

/**
 * Ends a command with a message for a person and an exit code. `code` and `reason` are for programs: the code's name in
 * google.rpc.Code and an UPPER_SNAKE_CASE word. `hints` say what to do next, one line each. Texts may come from a server
 * and are escaped where they are printed, never here.
 */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly reason: string;
  readonly violations: readonly Violation[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly hints: readonly string[];

  constructor(
    exitCode: ExitCode,
    code: string,
    reason: string,
    message: string,
    details: {
      readonly violations?: readonly Violation[];
      readonly metadata?: Readonly<Record<string, string>>;
      readonly hints?: readonly string[];
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, { cause: details.cause });
    this.exitCode = exitCode;
    this.code = code;
    this.reason = reason;
    this.violations = details.violations ?? [];
    this.metadata = details.metadata ?? {};
    this.hints = details.hints ?? [];
  }

  /** The same error with more to say about what to do next. */
  withHints(...hints: readonly string[]): CommandError {
    return new CommandError(this.exitCode, this.code, this.reason, this.message, {
      violations: this.violations,
      metadata: this.metadata,
      hints: [...this.hints, ...hints],
      cause: this.cause,
    });
  }
}

/** The command line itself is wrong: exit code 2. */
export function usageError(message: string, ...hints: readonly string[]): CommandError {
  return new CommandError(exitCodes.usage, 'INVALID_ARGUMENT', 'USAGE', message, { hints });
}
