import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BytesPool } from './bytes/bytes-pool.ts';
import { openStoredFile } from './bytes/jobs/stored-file.ts';
import { FailureError } from './domain/failures.ts';
import { checkResults, type CheckResult } from './formats/check-results.ts';
import { inspectInSteps, type InspectionDepth } from './formats/inspect.ts';
import { edgesOf } from './formats/reading/edges.ts';
import { wrapperOf } from './formats/recognise.ts';
import type { Verdict } from './formats/verdict.ts';
import type { Wrapper } from './formats/wrapper.ts';
import type { DiskFormat } from './gen/lehr/v1/disk_format.ts';
import type { Failure } from './gen/lehr/v1/failure.ts';
import { createSources } from './sources/create-sources.ts';
import { openly } from './sources/source.ts';
import { preview, type Preview } from './stages/preview.ts';

/** What a server would be set to. */
export interface InspectSourceLimits {
  /** A guest's disk may not be larger. */
  readonly maxVirtualBytes: bigint;
  /** What is compressed may not decode to more. */
  readonly maxImageBytes: number;
  /** Nor, beyond 4 GiB, to more than so many times its compressed size. */
  readonly maxDecodedRatio: number;
}

/** What to inspect, without a server. */
export interface InspectSourceOptions {
  /** A file of this machine, or an http or https address. */
  readonly source: { readonly kind: 'file'; readonly path: string } | { readonly kind: 'url'; readonly url: string };
  /** Unspecified: found out. */
  readonly declared: DiskFormat;
  readonly limits: InspectSourceLimits;
  /** Whether a file is read to its end, for the digest of the guest's disk. */
  readonly withGuest: boolean;
  readonly onProgress: (bytesDone: number, bytesTotal: number) => void;
}

/**
 * What came of it. `judged`: the verdict, how deep the inspection went, and every check that concerns the image. `head`:
 * nothing speaks against the first bytes, and more could not be judged. `unread`: why there is no verdict.
 */
export type SourceInspection =
  | { readonly kind: 'judged'; readonly sizeBytes: number; readonly depth: InspectionDepth; readonly verdict: Verdict; readonly wrapper: Wrapper | undefined; readonly checks: readonly CheckResult[] }
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
  try {
    const wrapper = wrapperOfFile(path);
    if (wrapper === undefined) return await judgeFile(path, options, signal);
    return await unwrapped(path, wrapper, options, signal, (decoded) => judgeFile(decoded, options, signal, wrapper));
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { failure } = error;
    const isRefusal = failure.metadata['check'] !== undefined;
    // The first bytes inside were refused, or what they come in: it was not decoded to its end.
    return isRefusal ? judged(0, 'headers', { kind: 'refused', failure }, wrapperOfFile(path), ['compressed.']) : { kind: 'unread', failure };
  }
}

function wrapperOfFile(path: string): Wrapper | undefined {
  const file = openStoredFile(path, path);
  try {
    return wrapperOf(edgesOf(file));
  } finally {
    file.close();
  }
}

async function judgeFile(
  path: string, options: InspectSourceOptions, signal: AbortSignal, wrapper?: Wrapper,
): Promise<SourceInspection> {
  const { declared, limits: { maxVirtualBytes }, withGuest, onProgress } = options;
  const depth = withGuest ? 'guest' : 'content';
  const file = openStoredFile(path, path);
  try {
    const steps = inspectInSteps(file, declared, { maxVirtualBytes }, depth);
    for (let sliceStartMs = performance.now(); ; ) {
      const step = steps.next();
      if (step.done === true) return judged(file.sizeBytes, depth, step.value, wrapper);
      if (performance.now() - sliceStartMs < sliceMs) continue;
      onProgress(step.value.bytesDone, step.value.bytesTotal);
      await new Promise((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      sliceStartMs = performance.now();
    }
  } finally {
    file.close();
  }
}

/** Does `work` on what is inside a compressed file or an OVA, which lies in the system's folder for temporary files meanwhile. */
async function unwrapped<T>(
  path: string, wrapper: Wrapper, options: InspectSourceOptions, signal: AbortSignal, work: (decoded: string) => Promise<T>,
): Promise<T> {
  const { declared, limits: { maxImageBytes: maxBytes, maxDecodedRatio: maxRatio }, onProgress } = options;
  const folder = await mkdtemp(join(tmpdir(), 'lehr-inspect-'));
  const pool = new BytesPool(1);
  try {
    const target = join(folder, 'image');
    const job = { path, name: path, wrapper, target: { path: target, name: target }, declared, maxBytes, maxRatio };
    await pool.decode(job, { signal, progress: onProgress });
    return await work(target);
  } finally {
    await pool.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function inspectUrl(url: string, options: InspectSourceOptions, signal: AbortSignal): Promise<SourceInspection> {
  const { declared, limits: { maxVirtualBytes } } = options;
  const sources = createSources({
    fileRoots: [], sourceAllow: [{ kind: 'private', port: undefined }], idleTimeoutMs, maxImageBytes: Number.MAX_SAFE_INTEGER, now: () => new Date(),
  });
  try {
    return describe(await preview(sources, { source: openly(url), declared, maxVirtualBytes, requireRecognisedRaw: false }, signal));
  } finally {
    await sources.close();
  }
}

function describe({ depth, sizeBytes, facts, failure, verdict }: Preview): SourceInspection {
  const wrapper = facts['codec'] as Wrapper | undefined;
  const unfinished = ['compressed.', ...(facts['manifest'] === undefined ? [] : ['ova.manifest'])];
  if (verdict !== undefined) return judged(sizeBytes, depth === 'headers' ? 'headers' : 'content', { ...verdict, facts }, wrapper, unfinished);
  if (failure === undefined) return { kind: 'head', sizeBytes, facts };
  const { check } = failure.metadata;
  if (check === undefined) return { kind: 'unread', failure };
  return judged(sizeBytes, depth === 'tables' ? 'content' : 'headers', { kind: 'refused', failure }, wrapper, unfinished);
}

function judged(
  sizeBytes: number, depth: InspectionDepth, verdict: Verdict, wrapper?: Wrapper, unfinished?: readonly string[],
): SourceInspection {
  return { kind: 'judged', sizeBytes, depth, verdict, wrapper, checks: checkResults(verdict, depth, wrapper, unfinished) };
}
