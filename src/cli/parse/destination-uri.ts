import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { usageError } from '../command-error.ts';

/**
 * Reads DESTINATION: a URI as it is, anything else as the path of a file to be made on this machine, which becomes an absolute
 * `file://` URI. Whether something is there already is for the server to say.
 */
export async function readDestination(text: string): Promise<string> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return text;
  if (text === '') throw usageError('DESTINATION must not be empty');
  const file = path.resolve(text);
  const found = await stat(file).catch(() => undefined);
  if (/[/\\]$/.test(text) || found?.isDirectory() === true) throw usageError(`${file} is a folder; name the file that is to be made in it`);
  return pathToFileURL(file).href;
}
