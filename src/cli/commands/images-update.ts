import { Command } from 'commander';

import type { Image } from '../../gen/lehr/v1/image.ts';
import type { UpdateImageRequest } from '../../gen/lehr/v1/image_service.ts';
import { Image as ImageMessage } from '../../gen/lehr/v1/image.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { usageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { fetchImage } from '../fetch-image.ts';
import { formatFields } from '../output/format-fields.ts';
import { imageFields } from '../output/image-columns.ts';
import { collectPair, collectWord } from '../parse/parse-pair.ts';

interface UpdateOptions {
  readonly name?: string;
  readonly tag?: readonly string[];
  readonly removeTag?: readonly string[];
  readonly property?: Readonly<Record<string, string>>;
  readonly removeProperty?: readonly string[];
}

const examples = `
Examples:
  $ lehr images update 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e --name debian-12
  $ lehr images update 7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e --tag stable --remove-tag testing --property os_distro=debian

Tags and properties that are not named stay as they are.`;

/** `lehr images update ID`. */
export function imagesUpdateCommand(run: Runner): Command {
  return new Command('update')
    .summary('change an image\'s name, tags or properties')
    .description('Change an image\'s name, tags or properties.')
    .argument('<id>', 'the image\'s id')
    .option('-n, --name <name>', 'give it this name')
    .option('-t, --tag <tag>', 'add this tag; may be repeated', collectWord)
    .option('--remove-tag <tag>', 'remove this tag; may be repeated', collectWord)
    .option('-p, --property <key=value>', 'set this property; may be repeated', collectPair)
    .option('--remove-property <key>', 'remove this property; may be repeated', collectWord)
    .addHelpText('after', examples)
    .action((id: string, options: UpdateOptions, command: Command) => run(command, (context) => updateImage(context, id, options)));
}

async function updateImage(context: CommandContext, id: string, options: UpdateOptions): Promise<ExitCode> {
  const { api, output, signal, now } = context;
  if (Object.keys(options).length === 0) throw usageError('say what to change: --name, --tag, --remove-tag, --property or --remove-property');
  const request = requestFor(id, options, isOnlyName(options) ? undefined : await fetchImage(context, id));
  const { image } = await api.updateImage(request, signal);
  if (image === undefined) throw new Error('the server answered without an image');
  if (output.isJson) await output.json(image);
  else await output.lines(...formatFields(imageFields(image, now())));
  return exitCodes.success;
}

/** The name is set as it is; tags and properties are sets of which the API takes all or none, so they are read first. */
function isOnlyName({ tag, removeTag, property, removeProperty }: UpdateOptions): boolean {
  return tag === undefined && removeTag === undefined && property === undefined && removeProperty === undefined;
}

function requestFor(id: string, options: UpdateOptions, image: Image | undefined): UpdateImageRequest {
  const { name, tag = [], removeTag = [], property = {}, removeProperty = [] } = options;
  const tags = new Set([...(image?.tags ?? []), ...tag]).difference(new Set(removeTag));
  const properties = Object.entries({ ...image?.properties, ...property }).filter(([key]) => !removeProperty.includes(key));
  const updateMask = [
    ...(name === undefined ? [] : ['name']),
    ...(tag.length + removeTag.length > 0 ? ['tags'] : []),
    ...(Object.keys(property).length + removeProperty.length > 0 ? ['properties'] : []),
  ];
  return { image: ImageMessage.fromPartial({ id, name: name ?? '', tags: [...tags], properties: Object.fromEntries(properties) }), updateMask };
}
