import { Command } from 'commander';

import type { Runner } from '../command-context.ts';
import { imagesDeleteCommand } from './images-delete.ts';
import { imagesDownloadCommand } from './images-download.ts';
import { imagesListCommand } from './images-list.ts';
import { imagesShowCommand } from './images-show.ts';
import { imagesUpdateCommand } from './images-update.ts';

/** `lehr images …`. */
export function imagesCommand(run: Runner): Command {
  return new Command('images')
    .summary('list, show, download, update and delete images')
    .description('List, show, download, update and delete images.')
    .helpCommand(false)
    .addCommand(imagesListCommand(run))
    .addCommand(imagesShowCommand(run))
    .addCommand(imagesDownloadCommand(run))
    .addCommand(imagesUpdateCommand(run))
    .addCommand(imagesDeleteCommand(run));
}
