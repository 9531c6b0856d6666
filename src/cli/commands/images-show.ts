import { Command } from 'commander';

import type { CommandContext, Runner } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { fetchImage } from '../fetch-image.ts';
import { formatFields } from '../output/format-fields.ts';
import { imageFields } from '../output/image-columns.ts';

const examples = `
Examples:
  $ lehr images show 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e
  $ lehr images show 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e --json | jq -r .digest`;

/** `lehr images show ID`. */
export function imagesShowCommand(run: Runner): Command {
  return new Command('show')
    .summary('show everything about an image')
    .description('Show everything about an image.')
    .argument('<id>', 'the image\'s id')
    .addHelpText('after', examples)
    .action((id: string, _options: object, command: Command) => run(command, (context) => showImage(context, id)));
}

async function showImage(context: CommandContext, id: string): Promise<ExitCode> {
  const image = await fetchImage(context, id);
  if (context.output.isJson) await context.output.json(image);
  else await context.output.lines(...formatFields(imageFields(image, context.now())));
  return exitCodes.success;
}
