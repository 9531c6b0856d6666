import { runCommand } from './run-command.ts';

/** No single step of a build or of code generation takes longer. */
const STEP_TIMEOUT_MS = 180_000;

/** Runs one step of a script; a step that fails ends the script with its output and exit code 1. */
export async function runOrExit(command: string, args: readonly string[], cwd: string): Promise<void> {
  const { succeeded, output } = await runCommand(command, args, { cwd, timeoutMs: STEP_TIMEOUT_MS });
  if (succeeded) return;
  process.stderr.write(`${command} ${args.join(' ')}\n${output}`);
  process.exit(1);
}
