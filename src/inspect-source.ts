import { openStoredFile } from './bytes/jobs/stored-file.ts';
import { FailureError } from './domain/failures.ts';
import { checkResults, type CheckResult } from './formats/check-results.ts';
import { inspectInSteps, type InspectionDepth } from './formats/inspect.ts';
import { edgesOf } from './formats/reading/edges.ts';
import { wrapperOf } from './formats/recognise.ts';
import type { Verdict } from './formats/verdict.ts';
import { wrapperFacts } from './formats/wrapper.ts';
import type { DiskFormat } from './gen/lehr/v1/disk_format.ts';
import type { Failure } from './gen/lehr/v1/failure.ts';
import { createSources } from './sources/create-sources.ts';
import { preview, type Preview } from './stages/preview.ts';

/** What to inspect, without a server. */
export interface InspectSourceOptions {
  /** A file of this machine, or an http or https address. */
  readonly source: { readonly kind: 'file'; readonly path: string } | { readonly kind: 'url'; readonly url: string };
  /** Unspecified: found out. */
  readonly declared: DiskFormat;
  /** A guest's disk may not be larger. */
  readonly maxVirtualBytes: bigint;
  /** Whether a file is read to its end, for the digest of the guest's disk. */
  readonly withGuest: boolean;
  readonly onProgress: (bytesDone: number, bytesTotal: number) => void;
}

/**
 * What came of it. `judged`: the verdict, how deep the inspection went, and every check that concerns the image. `head`:
 * nothing speaks against the first bytes, and more could not be judged. `unread`: why there is no verdict.
 */
export type SourceInspection =
  | { readonly kind: 'judged'; readonly sizeBytes: number; readonly depth: InspectionDepth; readonly verdict: Verdict; readonly checks: readonly CheckResult[] }
  | { readonly kind: 'head'; readonly sizeBytes: number; readonly facts: Readonly<Record<string, string>> }
  | { readonly kind: 'unread'; readonly failure: Failure };

/** How long an inspection of a file works before it heeds signals and says how far it is. */
const sliceMs = 50;

/** A source of an address may send nothing for so long. */
const idleTimeoutMs = 30_000;

/** Inspects a file or an address. When `signal` aborts, its reason is thrown. */
export async function inspectSource(options: InspectSourceOptions, signal: AbortSignal): Promise<SourceInspection> {
  const { source } = options;
  switch (source.kind) {
    case 'file':
      return inspectFile(source.path, options, signal);
    case 'url':
      return inspectUrl(source.url, options, signal);
    default:
      return source satisfies never;
  }
}

async function inspectFile(path: string, options: InspectSourceOptions, signal: AbortSignal): Promise<SourceInspection> {
  const { declared, maxVirtualBytes, withGuest, onProgress } = options;
  const depth = withGuest ? 'guest' : 'content';
  try {
    const file = openStoredFile(path, path);
    try {
      const wrapper = wrapperOf(edgesOf(file));
      if (wrapper !== undefined) return { kind: 'head', sizeBytes: file.sizeBytes, facts: wrapperFacts(wrapper) };
      const steps = inspectInSteps(file, declared, { maxVirtualBytes }, depth);
      for (let sliceStartMs = performance.now(); ; ) {
        const step = steps.next();
        if (step.done === true) return judged(file.sizeBytes, depth, step.value);
        if (performance.now() - sliceStartMs < sliceMs) continue;
        onProgress(step.value.bytesDone, step.value.bytesTotal);
        await new Promise((resolve) => setImmediate(resolve));
        signal.throwIfAborted();
        sliceStartMs = performance.now();
      }
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof FailureError) return { kind: 'unread', failure: error.failure };
    throw error;
  }
}

async function inspectUrl(url: string, { declared, maxVirtualBytes }: InspectSourceOptions, signal: AbortSignal): Promise<SourceInspection> {
  const sources = createSources({
    fileRoots: [], sourceAllow: [{ kind: 'private', port: undefined }], idleTimeoutMs, maxImageBytes: Number.MAX_SAFE_INTEGER, now: () => new Date(),
  });
  try {
    return describe(await preview(sources, { sourceUri: url, declared, maxVirtualBytes }, signal));
  } finally {
    await sources.close();
  }
}

function describe({ depth, sizeBytes, facts, failure, verdict }: Preview): SourceInspection {
  if (verdict !== undefined) return judged(sizeBytes, depth === 'headers' ? 'headers' : 'content', verdict);
  if (failure === undefined) return { kind: 'head', sizeBytes, facts };
  if (failure.metadata['check'] === undefined) return { kind: 'unread', failure };
  return judged(sizeBytes, depth === 'tables' ? 'content' : 'headers', { kind: 'refused', failure });
}

function judged(sizeBytes: number, depth: InspectionDepth, verdict: Verdict): SourceInspection {
  return { kind: 'judged', sizeBytes, depth, verdict, checks: checkResults(verdict, depth) };
}
