import type { Command } from 'commander';

import type { Api } from './api.ts';
import type { ExitCode } from './exit-codes.ts';
import type { Output } from './output/output.ts';

/** What a command works with. */
export interface CommandContext {
  readonly output: Output;
  /** The server's address, `host:port`. */
  readonly server: string;
  /** Connects at the first call; throws `CommandError` where the server cannot be reached. */
  readonly api: Api;
  /** Aborts on Ctrl-C, SIGTERM and when `--timeout` has passed; its reason is the `CommandError` to end with. */
  readonly signal: AbortSignal;
  readonly now: () => Date;
  /** A monotonic clock. */
  readonly nowMs: () => number;
  /** A new UUID. */
  readonly newId: () => string;
  /** Another call of `lehr` against the same server, to print: `lehr tasks watch ID`. */
  readonly commandLine: (words: string) => string;
}

/** Runs the work of a command with its context and keeps the exit code that it returns. */
export type Runner = (command: Command, work: (context: CommandContext) => Promise<ExitCode>) => Promise<void>;
