import { Command } from 'commander';

import type { DiskFormat } from '../../gen/lehr/v1/disk_format.ts';
import type { CreateTaskRequest } from '../../gen/lehr/v1/task_service.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { createTask } from '../create-task.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { explainFile } from '../explain-file.ts';
import { parseDurationMs } from '../parse/parse-duration.ts';
import { previewLines } from '../output/preview-page.ts';
import { formatNames, parseFormat } from '../parse/parse-format.ts';
import { collectPair, collectWord } from '../parse/parse-pair.ts';
import { readSource } from '../parse/source-uri.ts';
import type { Source } from '../parse/source-uri.ts';
import { taskFields, type TaskOptions } from '../task-options.ts';
import { tellAccepted } from '../tell-accepted.ts';

interface ImportOptions extends TaskOptions {
  readonly name?: string;
  readonly tag?: readonly string[];
  readonly property?: Readonly<Record<string, string>>;
  readonly digest?: string;
  readonly format?: DiskFormat;
  readonly storeFormat?: DiskFormat;
  readonly credential?: string;
}

const examples = `
Examples:
  $ lehr import https://cloud.debian.org/images/cloud/bookworm/latest/debian-12-generic-amd64.qcow2 --wait
  $ lehr import https://example.com/disk.qcow2 --name web --label env=prod --digest sha256:9f86d0…
  $ lehr import ./disk.raw --format raw          # a server on this machine, with a file root above ./disk.raw
  $ id=$(lehr import https://example.com/disk.qcow2 --json | jq -r .id)

Without --wait the command ends when the task is durably accepted; with it, when the task has ended, and the exit code
says how. A dropped connection never makes two tasks: every call sends a request id.`;

/** `lehr import SOURCE`. */
export function importCommand(run: Runner): Command {
  return new Command('import')
    .summary('import a disk image')
    .description('Import a disk image from an http:// or https:// address, a file:// address below a file root of the server, or a ' +
      'file of this machine that the server can read.')
    .argument('<source>', 'address or path of the image')
    .option('-n, --name <name>', 'the image\'s name (default: the last part of the source)')
    .option('-l, --label <key=value>', 'a label to find the task by; may be repeated', collectPair)
    .option('-t, --tag <tag>', 'a tag of the image; may be repeated', collectWord)
    .option('-p, --property <key=value>', 'a property of the image; may be repeated', collectPair)
    .option('--digest <sha256:hex>', 'fail unless the bytes have this digest')
    .option('--format <format>', `fail unless the source is of this format (${formatNames.join(', ')})`, parseFormat)
    .option('--store-format <format>', 'keep it in this format (default: as it comes)', parseFormat)
    .option('--credential <name>', 'a credential of the server\'s configuration to fetch with')
    .option('--ttl <duration>', 'how long the task stays listed after it ended, such as 48h', parseDurationMs)
    .option('--request-id <id>', 'the same id never makes a second task (default: a new one for each call)')
    .option('--validate-only', 'check the request and look at the source, but accept nothing')
    .option('-w, --wait', 'wait until the task has ended, showing its progress')
    .addHelpText('after', examples)
    .action((source: string, options: ImportOptions, command: Command) =>
      run(command, (context) => importImage(context, source, options)));
}

async function importImage(context: CommandContext, text: string, options: ImportOptions): Promise<ExitCode> {
  const { output } = context;
  const source = await readSource(text);
  const request = requestFor(source, options, context.newId);
  const { task: created, preview } = await createTask(context, request).catch((error: unknown) => explainFile(error, source.uri, 'source_uri'));
  if (options.validateOnly === true) {
    if (output.isJson) await output.json({ task: created, preview });
    else await output.lines(...previewLines(preview));
    return preview?.failure === undefined ? exitCodes.success : exitCodes.failed;
  }
  return tellAccepted(context, created, options.wait === true);
}

function requestFor(source: Source, options: ImportOptions, newId: () => string): CreateTaskRequest {
  return {
    spec: {
      kind: {
        $case: 'importImage',
        value: {
          sourceUri: source.uri,
          sourceFormat: options.format ?? 'DISK_FORMAT_UNSPECIFIED',
          expectedDigest: options.digest ?? '',
          storeFormat: options.storeFormat ?? 'DISK_FORMAT_UNSPECIFIED',
          image: { name: options.name ?? source.baseName, tags: [...(options.tag ?? [])], properties: { ...options.property } },
          credential: options.credential ?? '',
        },
      },
    },
    ...taskFields(options, newId),
  };
}
