import type { ByteReader } from '../../src/formats/reading/byte-reader.ts';
import type { FormatInspector } from '../../src/formats/format-inspector.ts';
import { FileSpace } from '../../src/formats/guest/file-space.ts';
import { ImageRefusedError } from '../../src/formats/refuse.ts';

/** What the check of the tables leads to: the refusal's metadata, or the number of extents in each pass. */
export function checkTables(format: FormatInspector, file: ByteReader): Readonly<Record<string, string>> | readonly number[] {
  try {
    format.describe(file);
    const disk = format.open(file);
    return [...FileSpace.passes(file.sizeBytes, disk.unitBytes)].map((space) => [...disk.walk(space)].length);
  } catch (error) {
    if (error instanceof ImageRefusedError) return error.failure.metadata;
    throw error;
  }
}
