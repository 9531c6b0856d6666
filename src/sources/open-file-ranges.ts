import { changedFailure, checkUnchanged, fileFailure, openBelowRoots } from './open-below-roots.ts';
import type { FileSourceLimits } from './open-below-roots.ts';
import { clampRange } from './source.ts';
import type { RangedSource } from './source.ts';

/** Opens a local file for reading in parts; see `Sources.openRanges`. A file that changes while it is open is refused. */
export async function openFileRanges(path: string, limits: FileSourceLimits): Promise<RangedSource> {
  const opened = await openBelowRoots(path, limits);
  const { file, sizeBytes, facts } = opened;
  return {
    sizeBytes,
    facts,
    async read(offset, length, signal) {
      signal.throwIfAborted();
      const range = clampRange(offset, length, sizeBytes);
      const part = new Uint8Array(range.length);
      for (let done = 0; done < part.length; ) {
        const { bytesRead } = await file.read(part, done, part.length - done, range.offset + done).catch((error: unknown) => {
          throw fileFailure(error);
        });
        signal.throwIfAborted();
        if (bytesRead === 0) throw changedFailure(range.offset + done);
        done += bytesRead;
      }
      await checkUnchanged(opened, range.offset + part.length);
      return part;
    },
    close: () => file.close(),
  };
}
