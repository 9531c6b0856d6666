import { Command, Option } from 'commander';

import type { Fault } from '../../gen/lehr/v1/event_service.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { usageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { formatTable } from '../output/table.ts';
import type { Column } from '../output/table.ts';
import { verifyTopic } from '../verify-topic.ts';

const examples = `
Examples:
  $ lehr verify                                               # everything
  $ lehr verify tasks/7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e    # one stream
  $ lehr verify --kafka kafka-1:9092,kafka-2:9092             # the topic of a cluster, without any server
  $ lehr verify --kafka kafka-1:9092 --config /etc/lehr/lehr.yaml

The server recomputes the chain of hashes from the stored bytes. With --kafka this command does so itself, from the topic: the
options that begin with --kafka-, their variables and lehr.yaml are those of the server. Exit code 1: something is wrong.`;

const columns: readonly Column<Fault>[] = [
  { title: 'POSITION', cell: (fault) => fault.position, isRight: true },
  { title: 'STREAM', cell: (fault) => fault.subject },
  { title: 'REVISION', cell: (fault) => String(fault.revision), isRight: true },
  { title: 'WHAT IS WRONG', cell: (fault) => fault.message },
];

/** Options that are settings of the server, by the setting's name. */
const settingOptions: ReadonlyMap<string, Option> = new Map([
  ['kafka-brokers', new Option('--kafka <brokers>', 'verify the topic at these brokers, host:port, comma between')],
  ['kafka-topic', new Option('--topic <name>', 'the topic (default: lehr.events)')],
  ['config', new Option('--config <file>', 'the server\'s configuration (default: lehr.yaml where there is one)')],
  ...([
    ['kafka-tls', '<on|off>', 'whether to reach the brokers over TLS'],
    ['kafka-tls-ca', '<file>', 'PEM file of the authorities that sign the brokers\' certificates'],
    ['kafka-tls-cert', '<file>', 'PEM file of the certificate to show to the brokers'],
    ['kafka-tls-key', '<file>', 'PEM file of its key'],
    ['kafka-sasl', '<mechanism>', 'how to log in: none, plain, scram-sha-256 or scram-sha-512'],
    ['kafka-username', '<name>', 'name to log in with'],
    ['kafka-password-file', '<file>', 'file that holds the password, on its first line'],
    ['kafka-skip', '<positions>', 'messages that every node passes over, partition-offset, comma between'],
  ] as const).map(([name, value, description]) => [name, new Option(`--${name} ${value}`, description)] as const),
]);

/** `lehr verify [SUBJECT]`. */
export function verifyCommand(run: Runner): Command {
  const command = new Command('verify')
    .summary('check that no event was changed, removed or swapped')
    .description('Check that no event of the log was changed, removed or swapped.')
    .argument('[subject]', 'one stream, tasks/ID or images/ID (default: all)')
    .addHelpText('after', examples);
  for (const option of settingOptions.values()) command.addOption(option);
  return command.action((subject: string | undefined, options: Readonly<Record<string, string>>, called: Command) => {
    const given = [...settingOptions].flatMap(([name, option]) => {
      const value = options[option.attributeName()];
      return value === undefined ? [] : [{ name, flag: option.long ?? '', value }];
    });
    if (given.every(({ name }) => name !== 'kafka-brokers')) {
      const [lost] = given;
      if (lost !== undefined) throw usageError(`${lost.flag} says nothing without --kafka`, 'write: lehr verify --kafka HOST:PORT …');
      return run(called, (context) => verify(context, subject ?? ''));
    }
    const flags = given.flatMap(({ name, value }) => [`--${name}`, value]);
    return run(called, (context) => verifyKafka(context, flags, subject ?? ''));
  });
}

async function verify({ api, output, signal }: CommandContext, subject: string): Promise<ExitCode> {
  const response = await api.verifyEvents({ subject }, signal);
  const { faults, events, streams } = response;
  if (output.isJson) await output.json(response);
  else await print(output, faults, `${faults.length}`, count(events, streams));
  return faults.length === 0 ? exitCodes.success : exitCodes.failed;
}

async function verifyKafka(context: CommandContext, flags: readonly string[], subject: string): Promise<ExitCode> {
  const { output } = context;
  const { report, faultCount } = await verifyTopic(context, flags, subject);
  const { events, streams, voidRecords, skippedMessages, faults } = report;
  const beside = [
    `${voidRecords} void ${voidRecords === 1n ? 'record' : 'records'}`,
    ...(skippedMessages === 0n ? [] : [`${skippedMessages} passed over`]),
  ];
  if (output.isJson) await output.json(report);
  else await print(output, faults, String(faultCount), `${count(events, streams)} (and ${beside.join(', ')})`);
  return faults.length === 0 ? exitCodes.success : exitCodes.failed;
}

function count(events: bigint, streams: bigint): string {
  return `${events} ${events === 1n ? 'event' : 'events'} of ${streams} ${streams === 1n ? 'stream' : 'streams'}`;
}

async function print(output: CommandContext['output'], faults: readonly Fault[], found: string, counted: string): Promise<void> {
  if (faults.length === 0) return output.lines(`verified ${counted}: the chain holds`);
  const summary = `${found} ${found === '1' ? 'fault' : 'faults'} among ${counted}`;
  const cut = found === String(faults.length) ? '' : `; the first ${faults.length} are shown`;
  await output.lines(...formatTable(columns, faults, false), output.style.bad(`${summary}${cut}`));
}
