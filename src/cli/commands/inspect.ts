import { Command } from 'commander';

import type { CommandContext, Runner } from '../command-context.ts';
import type { ExitCode } from '../exit-codes.ts';
import type { DiskFormat } from '../../gen/lehr/v1/disk_format.ts';
import { inspectSource } from '../inspect-source.ts';
import { formatNames, parseFormat } from '../parse/parse-format.ts';

interface InspectOptions {
  readonly format?: DiskFormat;
  readonly digest: boolean;
}

const examples = `
Examples:
  $ lehr inspect ./disk.qcow2
  $ lehr inspect ./disk.vmdk --no-digest           # headers and tables alone: a moment, however large the disk
  $ lehr inspect https://example.com/disk.qcow2    # reads only the parts that tell, where the server gives ranges
  $ lehr inspect ./disk.img --format raw --json

It needs no server and starts no other program. Exit code 1: the image would be refused.`;

/** `lehr inspect SOURCE`. */
export function inspectCommand(run: Runner): Command {
  return new Command('inspect')
    .summary('judge a disk image, without a server')
    .description('Judge a disk image as an import would, without a server: what it is, what is inside, and every check with its result.')
    .argument('<source>', 'a file, or an http:// or https:// address')
    .option('--format <format>', `refuse it unless it is of this format (${formatNames.join(', ')})`, parseFormat)
    .option('--no-digest', 'do not read the guest\'s disk to its end')
    .addHelpText('after', examples)
    .action((source: string, options: InspectOptions, command: Command) => run(command, (context) => inspect(context, source, options)));
}

async function inspect(context: CommandContext, source: string, { format, digest }: InspectOptions): Promise<ExitCode> {
  return inspectSource(context, { source, declared: format ?? 'DISK_FORMAT_UNSPECIFIED', withGuest: digest });
}
