import { Command } from 'commander';

import type { DiskFormat } from '../../gen/lehr/v1/disk_format.ts';
import type { CommandContext, Runner } from '../command-context.ts';
import { exitCodes } from '../exit-codes.ts';
import type { ExitCode } from '../exit-codes.ts';
import { imageColumns } from '../output/image-columns.ts';
import { filterKey, joinFilter, quoteFilterText } from '../parse/filter.ts';
import { parseCount } from '../parse/parse-count.ts';
import { formatNames, parseFormat } from '../parse/parse-format.ts';
import { collectPair, collectWord } from '../parse/parse-pair.ts';
import { defaultLimit, printList } from '../print-list.ts';

interface ImageListOptions {
  readonly name?: string;
  readonly format?: DiskFormat;
  readonly tag?: readonly string[];
  readonly property?: Readonly<Record<string, string>>;
  readonly filter?: string;
  readonly orderBy?: string;
  readonly limit: number;
}

const examples = `
Examples:
  $ lehr images list
  $ lehr images list --tag linux --format qcow2
  $ lehr images list --filter 'size_bytes > 1073741824' --order-by 'size_bytes desc'
  $ lehr images list --name debian-12 --json | jq -r .id`;

/** `lehr images list`. */
export function imagesListCommand(run: Runner): Command {
  return new Command('list')
    .summary('list images, newest first')
    .description('List images, newest first.')
    .option('-n, --name <name>', 'only images with this name')
    .option('--format <format>', `only images of this format (${formatNames.join(', ')})`, parseFormat)
    .option('-t, --tag <tag>', 'only images with this tag; may be repeated', collectWord)
    .option('-p, --property <key=value>', 'only images with this property; may be repeated', collectPair)
    .option('--filter <filter>', 'a filter of the API, joined to the others by AND')
    .option('--order-by <field>', 'create_time, update_time, name or size_bytes, with " desc" for the reverse')
    .option('--limit <count>', 'show at most so many', parseCount, defaultLimit)
    .addHelpText('after', examples)
    .action((options: ImageListOptions, command: Command) => run(command, (context) => listImages(context, options)));
}

async function listImages(context: CommandContext, options: ImageListOptions): Promise<ExitCode> {
  const { api, signal, now } = context;
  const filter = joinFilter([
    options.name === undefined ? undefined : `name = ${quoteFilterText(options.name)}`,
    options.format && `format = ${options.format}`,
    ...(options.tag ?? []).map((tag) => `tags:${quoteFilterText(tag)}`),
    ...Object.entries(options.property ?? {}).map(([key, value]) => `${filterKey('properties', key)} = ${quoteFilterText(value)}`),
    options.filter,
  ]);
  await printList(context, 'images', imageColumns(now()), options.limit, async (pageSize, pageToken) => {
    const page = await api.listImages({ pageSize, pageToken, filter, orderBy: options.orderBy ?? '', readToken: '' }, signal);
    return { items: page.images, nextPageToken: page.nextPageToken };
  });
  return exitCodes.success;
}
