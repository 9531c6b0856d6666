import { randomUUID } from 'node:crypto';

import { CommanderError } from 'commander';
import type { Command } from 'commander';

import type { Api } from './api.ts';
import type { CommandContext } from './command-context.ts';
import { CommandError, usageError } from './command-error.ts';
import { exitCodes } from './exit-codes.ts';
import { commandLineFor } from './global-options.ts';
import type { GlobalOptions } from './global-options.ts';
import { watchInterruption } from './interruption.ts';
import { createOutput } from './output/output.ts';
import { printError } from './output/print-error.ts';
import { serveCommand } from './serve.ts';
import { readVersion } from './version.ts';

/** Runs `lehr ARGS` and returns its exit code. Whatever goes wrong is printed on stderr; nothing is thrown. */
export async function runCli(args: readonly string[], process: NodeJS.Process): Promise<number> {
  const isJson = args.slice(0, args.includes('--') ? args.indexOf('--') : undefined).includes('--json');
  try {
    if (args[0] === 'serve') return await serveCommand(args.slice(1));
    if (args[0] === 'help' && args[1] === 'serve') return await serveCommand(['--help']);
    let exitCode: number = exitCodes.success;
    // Loaded here, since the server needs none of the commands.
    const { createProgram } = await import('./program.ts');
    const program = createProgram(await readVersion(), async (command, work) => {
      exitCode = await runCommand(command, work, isJson, process);
    }, (text) => void process.stdout.write(text), (text) => void process.stderr.write(text));
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (isHelp(error)) return exitCodes.success;
    const shown = toCommandError(error);
    printError(process.stderr, shown, isJson);
    return shown.exitCode;
  }
}

async function runCommand(
  command: Command, work: (context: CommandContext) => Promise<number>, isJson: boolean, process: NodeJS.Process,
): Promise<number> {
  const options = command.optsWithGlobals<GlobalOptions>();
  const program = rootOf(command);
  const nowMs = (): number => performance.now();
  const { signal, release } = watchInterruption(options.timeout, nowMs);
  const { openConnection } = await import('./connection.ts');
  const connection = openConnection(options.server);
  try {
    return await work({
      output: createOutput(process.stdout, process.stderr, process.env, isJson),
      server: options.server,
      api: connection.api satisfies Api,
      signal,
      now: () => new Date(),
      nowMs,
      newId: randomUUID,
      commandLine: commandLineFor(program, options),
    });
  } finally {
    release();
    connection.close();
  }
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

function isHelp(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

/** Everything that can end a command as the error to print. */
function toCommandError(error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof CommanderError) return fromCommander(error);
  const [message = '', ...frames] = (error instanceof Error ? (error.stack ?? error.message) : String(error)).split('\n');
  return new CommandError(exitCodes.internal, 'INTERNAL', 'BUG', `something went wrong inside lehr: ${message}`, { hints: frames, cause: error });
}

function fromCommander(error: CommanderError): CommandError {
  if (error.code === 'commander.help') return usageError('a command is missing', 'lehr --help lists the commands');
  const [message = '', ...suggestions] = error.message.replace(/^error: /, '').split('\n');
  const hints = suggestions.map((line) => line.replace(/^\((.*)\)$/, '$1'));
  return usageError(message, ...hints, 'lehr --help lists the commands, lehr COMMAND --help the options');
}
