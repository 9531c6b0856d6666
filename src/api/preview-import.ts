import { setTimeout as delay } from 'node:timers/promises';
import { FailureError } from '../domain/failures.ts';
import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { Failure } from '../gen/lehr/v1/failure.ts';
import type { ImportImage } from '../gen/lehr/v1/task.ts';
import type { ImportPreview, ImportPreview_Depth } from '../gen/lehr/v1/task_service.ts';
import type { Sources } from '../sources/source.ts';
import { conversionFault } from '../stages/conversion-of.ts';
import { preview, previewTooSlow, type Preview } from '../stages/preview.ts';
import { ApiError } from './api-error.ts';

/** Previews at once; each holds a connection and a thread. */
export const previewLimit = 8;

/** A source that takes longer is told to be too slow. */
const previewTimeoutSeconds = 20;

/** What previews work with. */
export interface PreviewDeps {
  readonly sources: Sources;
  readonly maxVirtualBytes: bigint;
  readonly requireRecognisedRaw: boolean;
  /** Why nothing is converted here; undefined where it is, or may be by another node. */
  readonly missingForConversion: string | undefined;
}

/** Looks at the source of an import without importing it: `validate_only`. */
export type PreviewImport = (spec: ImportImage, owner: string, signal: AbortSignal) => Promise<ImportPreview>;

const depths: Readonly<Record<Preview['depth'], ImportPreview_Depth>> = {
  none: 'DEPTH_UNSPECIFIED', head: 'DEPTH_HEAD', headers: 'DEPTH_HEADERS', tables: 'DEPTH_TABLES',
};

/** Throws UNAVAILABLE with PREVIEW_BUSY where `previewLimit` are under way. */
export function importPreviews({ sources, missingForConversion, ...limits }: PreviewDeps): PreviewImport {
  let underWay = 0;
  return async ({ sourceUri, sourceFormat, storeFormat, credential }, owner, signal) => {
    if (underWay >= previewLimit) {
      throw new ApiError('UNAVAILABLE', 'PREVIEW_BUSY', `This server looks at ${previewLimit} sources at once, and others were first. Try again in a moment.`);
    }
    underWay += 1;
    try {
      const source = { uri: sourceUri, credential, owner };
      const found = await preview(sources, { source, declared: sourceFormat, ...limits }, AbortSignal.any([signal, tooSlow()]));
      return describe({ ...found, failure: inVain(sourceFormat, found, storeFormat, missingForConversion) ?? found.failure });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof FailureError)) throw error;
      return describe({ depth: 'none', sizeBytes: 0, facts: {}, failure: error.failure, verdict: undefined });
    } finally {
      underWay -= 1;
    }
  };
}

/** What an import is refused for before anything else, where its format is declared, and after its inspection otherwise. */
function inVain(declared: DiskFormat, { verdict }: Preview, wanted: DiskFormat, missing: string | undefined): Failure | undefined {
  const format = declared === 'DISK_FORMAT_UNSPECIFIED' ? verdict?.format : declared;
  if (format === undefined || wanted === 'DISK_FORMAT_UNSPECIFIED' || wanted === format) return undefined;
  return conversionFault(format, wanted, missing);
}

function tooSlow(): AbortSignal {
  const late = new AbortController();
  void delay(previewTimeoutSeconds * 1_000, undefined, { ref: false }).then(() => { late.abort(previewTooSlow(previewTimeoutSeconds)); });
  return late.signal;
}

function describe({ depth, sizeBytes, facts, failure, verdict }: Preview): ImportPreview {
  return {
    depth: depths[depth],
    failure,
    format: verdict?.format ?? 'DISK_FORMAT_UNSPECIFIED',
    sizeBytes: BigInt(sizeBytes),
    virtualSizeBytes: verdict?.virtualSizeBytes ?? 0n,
    warnings: [...(verdict?.warnings ?? [])],
    facts: { ...facts },
  };
}
