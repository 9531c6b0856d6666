import { once } from 'node:events';
import path from 'node:path';

import { Command, Option } from 'commander';

import type { Image } from '../../gen/lehr/v1/image.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { usageError } from '../command-error.ts';
import type { ByteSource } from '../download/byte-source.ts';
import { fileNameFor } from '../download/file-name.ts';
import { grpcSource } from '../download/grpc-source.ts';
import { readVerified } from '../download/read-verified.ts';
import { writeTargetFile } from '../download/target-file.ts';
import { createTransferMeter } from '../download/transfer-meter.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { fetchImage } from '../fetch-image.ts';
import { escapeText } from '../output/escape-text.ts';
import { formatBytes } from '../output/format-bytes.ts';
import { createProgressDisplay } from '../output/progress-display.ts';
import { parseHttpServer } from '../parse/server-address.ts';

interface DownloadOptions {
  readonly output?: string;
  readonly force?: true;
  readonly httpServer?: string;
}

const examples = `
Examples:
  $ lehr images download 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e
  $ lehr images download 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e -o disk.qcow2 --http-server 127.0.0.1:8080
  $ lehr images download 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e -o - | qemu-nbd …

The bytes are compared with the image's digest; a file appears under its name only when they are right. A connection that
drops is taken up again where it broke.`;

/** `lehr images download ID`. */
export function imagesDownloadCommand(run: Runner): Command {
  return new Command('download')
    .summary('write an image\'s bytes to a file')
    .description('Write an image\'s bytes to a file.')
    .argument('<id>', 'the image\'s id')
    .option('-o, --output <file>', 'the file; - for stdout (default: the image\'s name)')
    .option('-f, --force', 'replace a file that exists')
    .addOption(new Option('--http-server <host:port>', 'the server\'s HTTP address; given that, the bytes come over HTTP, which is faster than gRPC')
      .env('LEHR_HTTP_SERVER').argParser(parseHttpServer))
    .addHelpText('after', examples)
    .action((id: string, options: DownloadOptions, command: Command) => run(command, (context) => downloadImage(context, id, options)));
}

async function downloadImage(context: CommandContext, id: string, options: DownloadOptions): Promise<ExitCode> {
  const { output } = context;
  const isToStdout = options.output === '-';
  if (isToStdout && output.isTerminal) throw usageError('an image is nothing to read on a terminal; name a file with -o or pipe it');
  if (isToStdout && output.isJson) throw usageError('stdout cannot take both the image (-o -) and JSON (--json)');
  const image = await fetchImage(context, id);
  const file = path.resolve(options.output ?? fileNameFor(image));
  const chunks = readWithProgress(context, image, options.httpServer, isToStdout);
  if (isToStdout) {
    for await (const bytes of chunks) if (!output.stdout.write(bytes)) await once(output.stdout, 'drain');
    return exitCodes.success;
  }
  await writeTargetFile(file, options.force === true, chunks);
  if (output.isJson) await output.json({ file, sizeBytes: image.sizeBytes, digest: image.digest });
  else await output.lines(escapeText(`${file}: ${formatBytes(image.sizeBytes)}, ${image.digest} verified`));
  return exitCodes.success;
}

/** Its client of HTTP is loaded here, since every command loads this file and few download. */
async function openHttpSource(server: string, id: string): Promise<ByteSource> {
  const { httpSource } = await import('../download/http-source.ts');
  return httpSource(server, id);
}

async function* readWithProgress(
  context: CommandContext, image: Image, httpServer: string | undefined, isToStdout: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { api, output, signal, now, nowMs } = context;
  const source = httpServer === undefined ? grpcSource(api, image.id) : await openHttpSource(httpServer, image.id);
  const display = createProgressDisplay(output, now, isToStdout);
  const meter = createTransferMeter(image.sizeBytes, nowMs);
  try {
    const onResume = (error: Error): void => display.note(`lehr: ${error.message}; going on where it broke`);
    for await (const bytes of readVerified(image, source, onResume, signal)) {
      const progress = meter.add(bytes.length);
      if (progress !== undefined) display.show({ activity: 'download', progress });
      yield bytes;
    }
  } finally {
    display.end();
  }
}
