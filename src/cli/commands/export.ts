import { Command } from 'commander';

import type { Compression, DiskFormat } from '../../gen/lehr/v1/disk_format.ts';
import type { CreateTaskRequest } from '../../gen/lehr/v1/task_service.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { createTask } from '../create-task.ts';
import type { ExitCode } from '../exit-codes.ts';
import { explainFile } from '../explain-file.ts';
import { readDestination } from '../parse/destination-uri.ts';
import { compressionNames, parseCompression } from '../parse/parse-compression.ts';
import { parseDurationMs } from '../parse/parse-duration.ts';
import { formatNames, parseFormat } from '../parse/parse-format.ts';
import { collectPair } from '../parse/parse-pair.ts';
import { taskFields, type TaskOptions } from '../task-options.ts';
import { tellAccepted } from '../tell-accepted.ts';
import { tellInOrder } from '../tell-in-order.ts';

interface ExportOptions extends TaskOptions {
  readonly format?: DiskFormat;
  readonly compression?: Compression;
  readonly credential?: string;
}

const examples = `
Examples:
  $ lehr export 018f… ./web.qcow2 --wait          # a server on this machine, with a file root above ./web.qcow2
  $ lehr export 018f… ./web.vmdk --format vmdk --wait
  $ lehr export 018f… https://files.example.com/web.qcow2 --compression zstd

Nothing is ever overwritten. Without --wait the command ends when the task is durably accepted; with it, when the task has
ended, and the exit code says how. A dropped connection never makes two tasks: every call sends a request id.`;

/** `lehr export IMAGE DESTINATION`. */
export function exportCommand(run: Runner): Command {
  return new Command('export')
    .summary('export a disk image')
    .description('Write an image to a file of this machine that the server can write, to a file:// address below one of its file roots, ' +
      'to s3://BUCKET/KEY or swift://CONTAINER/OBJECT, or to an http:// or https:// address, which is sent a PUT.')
    .argument('<image>', 'the image\'s id')
    .argument('<destination>', 'address or path of what is to be made')
    .option('-l, --label <key=value>', 'a label to find the task by; may be repeated', collectPair)
    .option('--format <format>', `the format to write (${formatNames.join(', ')}; default: qcow2)`, parseFormat)
    .option('--compression <name>', `how to compress a qcow2 (${compressionNames.join(', ')}; default: none)`, parseCompression)
    .option('--credential <name>', 'a credential of the server\'s configuration to write with')
    .option('--ttl <duration>', 'how long the task stays listed after it ended, such as 48h', parseDurationMs)
    .option('--request-id <id>', 'the same id never makes a second task (default: a new one for each call)')
    .option('--validate-only', 'check the request, but accept nothing')
    .option('-w, --wait', 'wait until the task has ended, showing its progress')
    .addHelpText('after', examples)
    .action((image: string, destination: string, options: ExportOptions, command: Command) =>
      run(command, (context) => exportImage(context, image, destination, options)));
}

async function exportImage(context: CommandContext, imageId: string, text: string, options: ExportOptions): Promise<ExitCode> {
  const destinationUri = await readDestination(text);
  const request = requestFor(imageId, destinationUri, options, context.newId);
  const { task } = await createTask(context, request).catch((error: unknown) => explainFile(error, destinationUri, 'destination_uri'));
  return options.validateOnly === true ? tellInOrder(context, task) : tellAccepted(context, task, options.wait === true);
}

function requestFor(imageId: string, destinationUri: string, options: ExportOptions, newId: () => string): CreateTaskRequest {
  return {
    spec: {
      kind: {
        $case: 'exportImage',
        value: {
          imageId,
          destinationUri,
          format: options.format ?? 'DISK_FORMAT_UNSPECIFIED',
          compression: options.compression ?? 'COMPRESSION_UNSPECIFIED',
          credential: options.credential ?? '',
        },
      },
    },
    ...taskFields(options, newId),
  };
}
