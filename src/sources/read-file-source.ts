import type { FileHandle } from 'node:fs/promises';
import { changedFailure, checkUnchanged, fileFailure, openBelowRoots } from './open-below-roots.ts';
import type { FileSourceLimits } from './open-below-roots.ts';
import type { Receiver } from './source.ts';

/** A file is read in pieces of so many bytes. */
const readBytes = 512 * 1024;

/**
 * Reads a local file into `receiver`; see `Sources.read`. `path` is absolute and lies below a file root by name; see
 * `openBelowRoots`. A file that changes while it is read is refused.
 */
export async function readFileSource(path: string, limits: FileSourceLimits, receiver: Receiver, signal: AbortSignal): Promise<void> {
  const opened = await openBelowRoots(path, limits);
  try {
    const { file, sizeBytes, facts } = opened;
    signal.throwIfAborted();
    receiver.begin({ offsetBytes: 0, sizeBytes, facts });
    await readAll(file, sizeBytes, receiver, signal);
    await checkUnchanged(opened, sizeBytes);
  } finally {
    await opened.file.close();
  }
}

async function readAll(file: FileHandle, sizeBytes: number, receiver: Receiver, signal: AbortSignal): Promise<void> {
  const buffer = Buffer.allocUnsafeSlow(Math.min(readBytes, Math.max(sizeBytes, 1)));
  for (let position = 0; position < sizeBytes; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, sizeBytes - position), position).catch((error: unknown) => {
      throw fileFailure(error);
    });
    signal.throwIfAborted();
    if (bytesRead === 0) throw changedFailure(position);
    const taking = receiver.receive(buffer.subarray(0, bytesRead));
    if (taking !== undefined) await taking;
    position += bytesRead;
  }
}
