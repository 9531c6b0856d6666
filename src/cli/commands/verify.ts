import { Command } from 'commander';

import type { Fault } from '../../gen/lehr/v1/event_service.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatTable } from '../output/table.ts';
import type { Column } from '../output/table.ts';

const examples = `
Examples:
  $ lehr verify                                               # everything
  $ lehr verify tasks/7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e    # one stream

The server recomputes the chain of hashes from the stored bytes. Exit code 1: something is wrong.`;

const columns: readonly Column<Fault>[] = [
  { title: 'POSITION', cell: (fault) => fault.position, isRight: true },
  { title: 'STREAM', cell: (fault) => fault.subject },
  { title: 'REVISION', cell: (fault) => String(fault.revision), isRight: true },
  { title: 'WHAT IS WRONG', cell: (fault) => fault.message },
];

/** `lehr verify [SUBJECT]`. */
export function verifyCommand(run: Runner): Command {
  return new Command('verify')
    .summary('check that no event was changed, removed or swapped')
    .description('Check that no event of the log was changed, removed or swapped.')
    .argument('[subject]', 'one stream, tasks/ID or images/ID (default: all)')
    .addHelpText('after', examples)
    .action((subject: string | undefined, _options: object, command: Command) => run(command, (context) => verify(context, subject ?? '')));
}

async function verify({ api, output, signal }: CommandContext, subject: string): Promise<ExitCode> {
  const response = await api.verifyEvents({ subject }, signal);
  const { faults, events, streams } = response;
  const counted = `${events} ${events === 1n ? 'event' : 'events'} of ${streams} ${streams === 1n ? 'stream' : 'streams'}`;
  if (output.isJson) await output.json(response);
  else if (faults.length === 0) await output.lines(`verified ${counted}: the chain holds`);
  else await output.lines(...formatTable(columns, faults, false), output.style.bad(`${faults.length} ${faults.length === 1 ? 'fault' : 'faults'} among ${counted}`));
  return faults.length === 0 ? exitCodes.success : exitCodes.failed;
}
