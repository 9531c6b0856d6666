import { spawn } from 'node:child_process';

/** How a command ended, and what it printed on both channels in the order in which it came. */
export type CommandResult = { readonly succeeded: boolean; readonly output: string };

/** Longest output that is kept of one command; what comes after it is dropped. */
const OUTPUT_LIMIT_CHARS = 1_000_000;

export type CommandOptions = {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** The command is killed after this time and has then failed. */
  readonly timeoutMs: number;
  /** The command is killed when it aborts and has then failed. */
  readonly signal?: AbortSignal;
};

/** Runs a command to its end without a shell. A command that cannot be started has failed, with the reason as its output. */
export function runCommand(command: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'], timeout: options.timeoutMs, killSignal: 'SIGKILL' });
    let output = '';
    const keep = (chunk: string): void => {
      output += chunk.slice(0, OUTPUT_LIMIT_CHARS - output.length);
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep);
    child.once('error', (error) => {
      keep(`${command}: ${error.message}\n`);
      // One that was started and is then aborted has yet to end.
      if (child.pid === undefined) resolve({ succeeded: false, output });
    });
    child.once('close', (code, signal) => {
      if (signal !== null) keep(`${command} was ended by ${signal} (limit ${options.timeoutMs / 1000} s)\n`);
      resolve({ succeeded: code === 0, output });
    });
  });
}
