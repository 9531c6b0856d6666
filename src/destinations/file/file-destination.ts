import { constants } from 'node:fs';
import { access, link, lstat, unlink } from 'node:fs/promises';
import { basename } from 'node:path';
import { FailureError } from '../../domain/failures.ts';
import { hasCode } from '../../stores/has-code.ts';
import { damagedArtefact, destinationExists, leftBehind, otherBytesStored } from '../delivery-failures.ts';
import type { Artefact, Delivered, Delivery, EndedExport } from '../destination.ts';
import type { BytesFound, FileRun, FileWork } from '../stored-bytes.ts';
import { fileDestinationFailure } from './file-destination-failure.ts';
import { openFolder, type OpenedFolder } from './open-folder.ts';
import { temporaryName } from './temporary-name.ts';

/** What file destinations work with. */
export interface FileDestinationDeps {
  readonly fileRoots: readonly string[];
  readonly files: FileWork;
}

/** A file to be made: its absolute path, which lies below a file root by name, and the address that it is called by. */
export interface FileTarget {
  readonly path: string;
  readonly location: string;
}

/**
 * Makes a file of the artefact; see `Destinations.deliver`. It is written under a name of this attempt in the same folder, read
 * back, and put in place by a hard link, which fails where something is already. What earlier attempts left there is removed first.
 */
export async function deliverFile(
  target: FileTarget, artefact: Artefact, delivery: Delivery, deps: FileDestinationDeps,
): Promise<Delivered> {
  delivery.signal.throwIfAborted();
  const folder = await openFolder(target.path, deps.fileRoots);
  try {
    return await deliverInto(folder, target, artefact, delivery, deps.files);
  } finally {
    await folder.close();
  }
}

/** Removes a file, where it still has the digest; see `Destinations.withdraw`. */
export async function withdrawFile(
  target: FileTarget, delivered: Delivered, signal: AbortSignal, deps: FileDestinationDeps,
): Promise<boolean> {
  const folder = await openFolder(target.path, deps.fileRoots);
  try {
    const path = folder.at(basename(target.path));
    const found = await lookAt(path, [delivered], { signal, progress: () => undefined }, deps.files);
    if (found.kind !== 'ours') return true;
    await unlink(path);
    await folder.sync();
    return true;
  } finally {
    await folder.close();
  }
}

/** Removes what attempts were writing when they died; see `Destinations.removeLeftovers`. */
export async function removeFileLeftovers(target: FileTarget, { taskId, attempts }: EndedExport, deps: FileDestinationDeps): Promise<void> {
  const folder = await openFolder(target.path, deps.fileRoots);
  try {
    await removeEarlier(folder, basename(target.path), taskId, attempts);
  } finally {
    await folder.close();
  }
}

async function removeEarlier(folder: OpenedFolder, name: string, taskId: string, attempts: number): Promise<void> {
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    await unlink(folder.at(temporaryName(name, taskId, attempt))).catch(() => undefined);
  }
}

async function deliverInto(
  folder: OpenedFolder, target: FileTarget, artefact: Artefact, delivery: Delivery, files: FileWork,
): Promise<Delivered> {
  const name = basename(target.path);
  const path = folder.at(name);
  const temporary = temporaryName(name, delivery.taskId, delivery.attempt);
  await removeEarlier(folder, name, delivery.taskId, delivery.attempt - 1);
  const before = await inDestination(() => lookAt(path, delivery.ours, delivery, files));
  if (before.kind !== 'absent') return existing(before, target);
  const own = folder.at(temporary);
  try {
    await writeVerified(own, artefact, delivery, target, files);
    delivery.signal.throwIfAborted();
    const isPlaced = await inDestination(() => linkUnlessThere(own, path));
    if (!isPlaced) return existing(await inDestination(() => lookAt(path, delivery.ours, delivery, files)), target);
    await removed(own);
    await inDestination(() => folder.sync()).catch(async (error: unknown) => {
      throw await removed(path) ? error : leftBehind(error, target.location);
    });
    return { location: target.location, digest: artefact.digest, sizeBytes: artefact.sizeBytes, verified: true };
  } catch (error) {
    throw await removed(own) ? error : leftBehind(error, new URL(temporary, target.location).href);
  } finally {
    await removed(own);
  }
}

/** Writes the artefact and reads it back. */
async function writeVerified(path: string, artefact: Artefact, run: Delivery, { location }: FileTarget, files: FileWork): Promise<void> {
  const source = { path: artefact.path, name: basename(artefact.path) };
  const written = await files.copy({ ...source, target: path }, run);
  if (isSame(written, artefact)) return;
  const read = await files.digest(source, run);
  throw isSame(read, artefact) ? otherBytesStored(location, artefact, written) : damagedArtefact(artefact, read);
}

/** What has a name: nothing, bytes that are among `ours`, or something else. */
type Found = { readonly kind: 'absent' | 'foreign' } | { readonly kind: 'ours'; readonly bytes: BytesFound };

async function lookAt(path: string, ours: readonly BytesFound[], run: FileRun, files: FileWork): Promise<Found> {
  const stats = await lstat(path).catch((error: unknown) => {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  if (stats === undefined) return { kind: 'absent' };
  if (!stats.isFile() || !ours.some(({ sizeBytes }) => sizeBytes === stats.size)) return { kind: 'foreign' };
  const bytes = await readable(path) ? await files.digest({ path, name: basename(path) }, run) : undefined;
  // What this server may not read it has not written.
  if (bytes === undefined) return { kind: 'foreign' };
  return ours.some((own) => isSame(own, bytes)) ? { kind: 'ours', bytes } : { kind: 'foreign' };
}

async function readable(path: string): Promise<boolean> {
  return access(path, constants.R_OK).then(() => true, (error: unknown) => {
    if (hasCode(error, 'EACCES') || hasCode(error, 'EPERM')) return false;
    throw error;
  });
}

function existing(found: Found, { location }: FileTarget): Delivered {
  if (found.kind !== 'ours') throw destinationExists(location);
  return { location, digest: found.bytes.digest, sizeBytes: found.bytes.sizeBytes, verified: true, existed: true };
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false;
    throw error;
  }
}

async function removed(path: string): Promise<boolean> {
  // A disk that takes no writing refuses to remove what is not there, too.
  return unlink(path).then(() => true, (error: unknown) => hasCode(error, 'ENOENT') || isAbsent(path));
}

async function isAbsent(path: string): Promise<boolean> {
  return lstat(path).then(() => false, (error: unknown) => hasCode(error, 'ENOENT'));
}

function isSame(one: BytesFound, other: BytesFound): boolean {
  return one.sizeBytes === other.sizeBytes && one.digest === other.digest;
}

/** What the system says of the destination becomes a failure; a failure, and an abort, pass as they are. */
async function inDestination<T>(operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    if (error instanceof FailureError || !(error instanceof Error && 'syscall' in error)) throw error;
    throw new FailureError(fileDestinationFailure(error, 0), { cause: error });
  }
}
