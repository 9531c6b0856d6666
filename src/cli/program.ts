import { Command } from 'commander';

import type { Runner } from './command-context.ts';
import { usageError } from './command-error.ts';
import { cloneCommand } from './commands/clone.ts';
import { eventsCommand } from './commands/events.ts';
import { imagesCommand } from './commands/images.ts';
import { exportCommand } from './commands/export.ts';
import { importCommand } from './commands/import.ts';
import { inspectCommand } from './commands/inspect.ts';
import { tasksCommand } from './commands/tasks.ts';
import { verifyCommand } from './commands/verify.ts';
import { exitCodeMeanings, exitCodes } from './exit-codes.ts';
import { addGlobalOptions } from './global-options.ts';

type Write = (text: string) => void;

const examples = `
Examples:
  $ lehr serve                                          # in one terminal
  $ lehr import https://example.com/disk.qcow2 --wait   # in another
  $ lehr tasks list
  $ lehr images list
  $ lehr events --follow
  $ lehr verify`;

/**
 * The command line as commander sees it: every command with its options, ready to be parsed. Nothing is written and the
 * process is never ended here: help goes through `writeOut`, or `writeErr` where a command is missing, and every end comes as
 * an exception.
 */
export function createProgram(version: string, run: Runner, writeOut: Write, writeErr: Write): Command {
  const program = addGlobalOptions(new Command('lehr'))
    .description('Carries virtual machine images into a cloud, out of it and from region to region.')
    .usage('[options] <command>')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .addCommand(serveEntry())
    .addCommand(importCommand(run))
    .addCommand(exportCommand(run))
    .addCommand(cloneCommand(run))
    .addCommand(tasksCommand(run))
    .addCommand(imagesCommand(run))
    .addCommand(eventsCommand(run))
    .addCommand(verifyCommand(run))
    .addCommand(inspectCommand(run))
    .addHelpText('after', `${examples}\n\n${exitCodeHelp()}`);
  forEachCommand(program, (command) => {
    command
      .exitOverride()
      .configureHelp({ showGlobalOptions: true })
      .configureOutput({ writeOut, writeErr, outputError: () => undefined })
      .allowExcessArguments(false)
      .helpOption('-h, --help', 'show help');
  });
  return program;
}

/** What the exit codes mean, for `lehr --help`. */
function exitCodeHelp(): string {
  const names = Object.keys(exitCodes) as (keyof typeof exitCodes)[];
  return ['Exit codes:', ...names.map((name) => `  ${String(exitCodes[name]).padStart(3)}  ${exitCodeMeanings[name]}`)].join('\n');
}

/** Stands in the list of commands; `lehr serve` itself never comes to commander, see run-cli.ts. */
function serveEntry(): Command {
  return new Command('serve')
    .summary('run the server')
    .description('Run the server.')
    .usage('[settings]')
    .allowUnknownOption()
    .argument('[settings...]')
    .action(() => {
      throw usageError('options before `serve` do not apply to it', 'write: lehr serve [settings]; `lehr serve --help` lists them');
    });
}

function forEachCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const inner of command.commands) forEachCommand(inner, visit);
}
