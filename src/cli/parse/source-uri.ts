import { stat } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { CommandError, usageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';

/** What a person may name as the source of an import. */
export interface Source {
  /** What the server is asked for. */
  readonly uri: string;
  /** The last part of the path, to call the image by; empty where there is none. */
  readonly baseName: string;
}

/**
 * Reads SOURCE: a URI as it is, anything else as the path of a file on this machine, which becomes an absolute `file://`
 * URI. The file must exist here, so that a typing error is told at once; a file that only the server sees is named by its
 * `file://` URI. Symbolic links are left to the server, whose file roots decide.
 */
export async function readSource(text: string): Promise<Source> {
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return { uri: text, baseName: baseNameOf(text) };
  if (text === '') throw usageError('SOURCE must not be empty');
  const file = path.resolve(text);
  const found = await stat(file).catch((error: unknown) => noFile(file, error));
  if (!found.isFile()) throw usageError(`${file} is not a file`);
  return { uri: pathToFileURL(file).href, baseName: path.basename(file) };
}

function noFile(file: string, cause: unknown): never {
  throw new CommandError(exitCodes.notFound, 'NOT_FOUND', 'FILE_NOT_FOUND', `there is no file ${file} on this machine`, {
    hints: ['a file that only the server sees is named by its URI: file:///absolute/path'],
    cause,
  });
}

function baseNameOf(uri: string): string {
  const last = (URL.parse(uri)?.pathname ?? '').split('/').at(-1) ?? '';
  try {
    return decodeURIComponent(last);
  } catch {
    return last;
  }
}
