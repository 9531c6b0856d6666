import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { FailureError } from '../domain/failures.ts';
import type { Compression, DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import { quoteOf } from '../sandbox/quote.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { ImageStore, StagedFileName, StagedPart } from '../stores/image-store.ts';
import { storeFailure } from '../stores/store-failure.ts';
import { conversionFailure } from './conversion-failure.ts';
import { conversionOf, type Conversion } from './conversion-of.ts';
import { progressReader } from './qemu-progress.ts';
import type { StageRun } from './stage.ts';

/** What to convert. */
export interface ConvertInput {
  /** Which of the attempt's files; it has passed every check. */
  readonly from: StagedPart;
  /** As our own inspection found it; nothing is probed. */
  readonly sourceFormat: DiskFormat;
  /** Unspecified: qcow2. */
  readonly targetFormat: DiskFormat;
  /** How to compress a qcow2; absent: not at all. */
  readonly compression?: Compression | undefined;
  /** The guest's disk: the measure of progress. */
  readonly virtualSizeBytes: bigint;
  /** The converted file may not be larger. */
  readonly maxBytes: number;
}

/** What convert works with. */
export interface ConvertDeps {
  readonly store: ImageStore;
  readonly sandbox: Sandbox;
}

/**
 * Converts a file of the attempt into its `converted` one, which is durable afterwards and has yet to be inspected and compared:
 * qemu-img is not trusted. It runs in the sandbox, with both formats told (CVE-2015-5163, CVE-2026-24708: never probed) and names
 * of our own. Throws FailureError, the signal's reason, or an error where the machine failed to run or confine it, which another
 * attempt may not; what was staged is removed by whoever ends the attempt.
 */
export async function convert(run: StageRun, deps: ConvertDeps, input: ConvertInput): Promise<void> {
  run.signal.throwIfAborted();
  const conversion = conversionOf(input.sourceFormat, input.targetFormat, deps.sandbox, input.compression);
  const source = deps.store.stagedFile(run.taskId, run.attempt, input.from);
  const target = deps.store.stagedFile(run.taskId, run.attempt, 'converted');
  await using sourceFile = await openIn(source, constants.O_RDONLY | constants.O_NOFOLLOW);
  await using targetFile = await openIn(target, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW);
  await runQemuImg(run, conversion, input, { ...source, fd: sourceFile.fd }, { ...target, fd: targetFile.fd });
  await fromStore(target, () => targetFile.datasync());
  run.signal.throwIfAborted();
}

type OpenFile = StagedFileName & { readonly fd: number };

async function runQemuImg(run: StageRun, conversion: Conversion, input: ConvertInput, source: OpenFile, target: OpenFile): Promise<void> {
  const { sandbox, sourceDriver, targetDriver, options } = conversion;
  const totalBytes = Number(input.virtualSizeBytes);
  run.progress(0, totalBytes);
  const ending = await sandbox.run({
    program: sandbox.qemuImg,
    files: [
      { ...source, inside: '/source', access: 'read' },
      // A VMDK names itself in its descriptor.
      { ...target, inside: `/disk.${targetDriver}`, access: 'write' },
    ],
    args: (names) => ['convert', '-p', '-W', '-S', '64k', '-f', sourceDriver, '-O', targetDriver, ...options, ...names],
    fileBytes: input.maxBytes,
    onOutput: progressReader(totalBytes, (bytesDone) => run.progress(bytesDone, totalBytes)),
  }, run.signal);
  if (ending.kind === 'broken') throw new Error(`qemu-img could not be confined: ${quoteOf(ending.errorTail)}`);
  const failed = conversionFailure(ending, target.name, input.maxBytes);
  if (failed !== undefined) throw new FailureError(failed);
  run.progress(totalBytes, totalBytes);
}

function openIn(file: StagedFileName, flags: number): Promise<FileHandle> {
  return fromStore(file, () => open(file.path, flags, 0o600));
}

async function fromStore<T>({ name }: StagedFileName, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw new FailureError(storeFailure(error, name, 0), { cause: error });
  }
}
