import { Option } from 'commander';
import type { Command } from 'commander';

import { parseDurationMs } from './parse/parse-duration.ts';
import { defaultServer, parseServerAddress } from './parse/server-address.ts';

/** The options that every command but `serve` takes, before or after its name. */
export interface GlobalOptions {
  readonly server: string;
  readonly timeout?: number;
  readonly json?: true;
}

/** Adds the global options to the program. */
export function addGlobalOptions(program: Command): Command {
  return program
    .addOption(new Option('--server <host:port>', 'the gRPC address of the server')
      .env('LEHR_SERVER').default(defaultServer).argParser(parseServerAddress))
    .addOption(new Option('--timeout <duration>', 'give up after so long, such as 30s; without it a single answer is awaited for 30s and ' +
      'a task, a stream or a download without end')
      .env('LEHR_TIMEOUT').argParser(parseDurationMs))
    .option('--json', 'print JSON: an object, or one object per line for lists and streams; errors as an object on stderr');
}

/** A command line like `lehr WORDS` that reaches the same server. */
export function commandLineFor(program: Command, options: GlobalOptions): (words: string) => string {
  const isNamed = program.getOptionValueSource('server') === 'cli';
  return (words) => `lehr ${words}${isNamed ? ` --server ${options.server}` : ''}`;
}
