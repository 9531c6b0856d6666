import { CommandError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';

/**
 * A second Ctrl-C ends the process at once, but not one that comes right after the first: the terminal and a launcher may
 * both pass the same one on.
 */
const secondInterruptMs = 500;

/**
 * Aborts on SIGINT, on SIGTERM and after `timeoutMs`, with the `CommandError` to end with as the reason. Call `release`
 * when the command has ended.
 */
export function watchInterruption(
  timeoutMs: number | undefined, nowMs: () => number,
): { readonly signal: AbortSignal; readonly release: () => void } {
  const controller = new AbortController();
  let firstMs: number | undefined;
  const stop = (error: CommandError): void => {
    firstMs ??= nowMs();
    if (controller.signal.aborted && nowMs() - firstMs >= secondInterruptMs) process.exit(error.exitCode);
    controller.abort(error);
  };
  const interrupt = (): void => stop(new CommandError(exitCodes.interrupted, 'CANCELLED', 'INTERRUPTED', 'interrupted'));
  const terminate = (): void => stop(new CommandError(exitCodes.terminated, 'CANCELLED', 'TERMINATED', 'ended by SIGTERM'));
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => controller.abort(timeoutError()), timeoutMs);
  process.on('SIGINT', interrupt).on('SIGTERM', terminate);
  const release = (): void => {
    clearTimeout(timer);
    process.off('SIGINT', interrupt).off('SIGTERM', terminate);
  };
  return { signal: controller.signal, release };
}

function timeoutError(): CommandError {
  return new CommandError(exitCodes.unavailable, 'DEADLINE_EXCEEDED', 'TIMEOUT', 'gave up: --timeout has passed', {
    hints: ['give it longer with --timeout, such as --timeout 2m'],
  });
}
