import { Command } from 'commander';

import type { CommandContext, Runner } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { escapeText } from '../output/escape-text.ts';

const examples = `
Example:
  $ lehr images delete 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e`;

/** `lehr images delete ID`. */
export function imagesDeleteCommand(run: Runner): Command {
  return new Command('delete')
    .summary('delete an image')
    .description('Delete an image and its bytes. This cannot be undone; the events that tell of it remain.')
    .argument('<id>', 'the image\'s id')
    .addHelpText('after', examples)
    .action((id: string, _options: object, command: Command) => run(command, (context) => deleteImage(context, id)));
}

async function deleteImage({ api, output, signal }: CommandContext, id: string): Promise<ExitCode> {
  const { image } = await api.deleteImage({ id }, signal);
  if (image === undefined) throw new Error('the server answered without an image');
  if (output.isJson) await output.json(image);
  else await output.lines(escapeText(`image ${image.id}${image.name === '' ? '' : ` (${image.name})`} deleted`));
  return exitCodes.success;
}
