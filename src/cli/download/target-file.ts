import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, lstat, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

import { CommandError, usageError } from '../command-error.ts';
import { exitCodes } from '../exit-codes.ts';

/**
 * Writes `chunks` to `file` so that the name appears only when all of them are written and synced: they wait in a hidden
 * file beside it, which is removed when anything fails. Without `isForced` an existing file is refused (exit code 4), also
 * one that appears meanwhile; with it, it is replaced at the end.
 */
export async function writeTargetFile(file: string, isForced: boolean, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  await checkTarget(file, isForced);
  const part = path.join(path.dirname(file), `.${path.basename(file).slice(0, 200)}.${randomBytes(6).toString('hex')}.part`);
  try {
    await writeWhole(part, chunks);
    if (isForced) await rename(part, file);
    else await publish(part, file);
  } catch (error) {
    throw isSystemError(error) ? cannotWrite(file, error) : error;
  } finally {
    await rm(part, { force: true });
  }
}

async function checkTarget(file: string, isForced: boolean): Promise<void> {
  const found = await lstat(file).catch(() => undefined);
  if (found?.isDirectory() === true) throw usageError(`${file} is a folder; name a file`);
  if (found !== undefined && !isForced) throw exists(file);
}

/** Bytes that wait for the disk at most; what has gathered meanwhile is written in one call. */
const waitingBytes = 4 * 1024 * 1024;

async function writeWhole(part: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  await pipeline(chunks, createWriteStream(part, { flags: 'wx', flush: true, highWaterMark: waitingBytes }));
}

/** A hard link, other than a rename, never replaces what is there; file systems without links get the rename. */
async function publish(part: string, file: string): Promise<void> {
  try {
    await link(part, file);
  } catch (error) {
    if (isSystemError(error) && error.code === 'EEXIST') throw exists(file);
    await rename(part, file);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

function exists(file: string): CommandError {
  return new CommandError(exitCodes.refused, 'ALREADY_EXISTS', 'FILE_EXISTS', `${file} exists`, { hints: ['replace it with --force'] });
}

function cannotWrite(file: string, cause: NodeJS.ErrnoException): CommandError {
  const why = cause.code === 'ENOSPC' ? 'there is no room' : (cause.code ?? cause.message);
  return new CommandError(exitCodes.refused, 'FAILED_PRECONDITION', 'CANNOT_WRITE', `cannot write ${file}: ${why}`, { cause });
}
