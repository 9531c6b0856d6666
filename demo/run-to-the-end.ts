/** Something that the person in front of the demo can do about what went wrong. */
export class DemoError extends Error {
  override readonly name = 'DemoError';
}

/** Exit codes as shells know them: 128 and the number of the signal. */
const signalExitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** As after SIGPIPE: whoever read the output has gone. */
const outputClosedExitCode = 141;

/**
 * Runs the story and ends the process with its exit code: 0; that of the signal which interrupted it; or 1 with a message that
 * begins with `name`. The signal that the story gets aborts on Ctrl-C; the story then undoes what it did, and only that keeps
 * the process alive. A story that was interrupted and has nothing left to tell says so by `'told'`: that is 0 too.
 */
export async function runToTheEnd(name: string, story: (interrupted: AbortSignal) => Promise<'told' | void>): Promise<void> {
  const interruption = new AbortController();
  let exitCode = 0;
  const interrupt = (code: number): void => {
    if (!interruption.signal.aborted) exitCode = code;
    interruption.abort(new DemoError('interrupted'));
  };
  for (const [signal, code] of Object.entries(signalExitCodes)) process.on(signal, () => interrupt(code));
  process.stdout.on('error', () => interrupt(outputClosedExitCode));
  try {
    if ((await story(interruption.signal)) === 'told') exitCode = 0;
  } catch (error) {
    if (interruption.signal.aborted) {
      if (exitCode === signalExitCodes.SIGINT) process.stderr.write('\nInterrupted; everything is cleaned up.\n');
    } else {
      exitCode = 1;
      process.stderr.write(`\n${name}: ${error instanceof DemoError ? error.message : String(error instanceof Error ? error.stack : error)}\n`);
    }
  }
  process.exit(exitCode);
}
