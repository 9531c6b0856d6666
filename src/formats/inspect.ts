import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import type { ByteReader } from './reading/byte-reader.ts';
import { edgesOf } from './reading/edges.ts';
import { FileSpace } from './guest/file-space.ts';
import type { Description, FormatInspector } from './format-inspector.ts';
import { GuestDigest } from './guest/guest-digest.ts';
import { guestBlockBytes, readGuestBlocks } from './guest/guest-blocks.ts';
import type { GuestDisk } from './guest/guest-disk.ts';
import { GuestProbe } from './content/guest-probe.ts';
import { checkNested } from './content/nested-format.ts';
import { recognise } from './recognise.ts';
import { ImageRefusedError, refuse } from './refuse.ts';
import type { Verdict } from './verdict.ts';

/**
 * The operator's bounds. `maxVirtualBytes`: the largest guest's disk that is accepted. `requireRecognisedRaw`: a raw disk on which
 * nothing is recognised is refused, and not only warned of.
 */
export interface InspectionLimits {
  readonly maxVirtualBytes: bigint;
  readonly requireRecognisedRaw?: boolean;
}

/**
 * How far an inspection goes. `headers`: headers, footers, descriptors, metadata. `tables`: also the tables that map the
 * guest's disk to the file, every entry of them. `content`: also the beginning of the guest's disk, for formats inside the
 * format. `guest`: also the rest of it, for `guestDigest`.
 */
export type InspectionDepth = 'headers' | 'tables' | 'content' | 'guest';

/** No inspection of headers reads more than so many bytes in all, whatever the file claims; the tests hold it to that. */
export const inspectionReadLimitBytes = 4 * 1024 * 1024;

/** How far the reading of the guest's disk is, in guest bytes; both 0 before it begins. */
export interface InspectionStep {
  readonly bytesDone: number;
  readonly bytesTotal: number;
}

/** What `content` reads of the guest's disk: whole windows of `readGuestBlocks`, and more than any magic needs. */
const beginningBytes = 1024 * 1024;

const beforeGuest: InspectionStep = { bytesDone: 0, bytesTotal: 0 };

/**
 * The verdict over stored bytes, step by step, so that whoever drives it can pause between steps and give it up: what the
 * image is, or why it is refused. Needs less memory than 8 MiB beside the bytes of one compressed piece, and never throws on
 * hostile content; only an error of the reader itself passes through.
 */
export function* inspectInSteps(
  file: ByteReader,
  declared: DiskFormat,
  limits: InspectionLimits,
  depth: InspectionDepth = 'guest',
): Generator<InspectionStep, Verdict, undefined> {
  try {
    const judged = judgeHeaders(file, declared, limits);
    const accepted = { kind: 'accepted', format: judged.inspector.format, ...judged.description, guestDigest: '' } as const;
    if (depth === 'headers') return accepted;
    const disk = judged.inspector.open(file);
    yield beforeGuest;
    yield* judgeTables(file, disk);
    if (depth === 'tables') return accepted;
    return { ...accepted, ...(yield* readGuest(file, disk, judged, depth === 'content')) };
  } catch (error) {
    if (error instanceof ImageRefusedError) return { kind: 'refused', failure: error.failure };
    throw error;
  }
}

/** The verdict of `inspectInSteps`, without a pause. */
export function inspect(file: ByteReader, declared: DiskFormat, limits: InspectionLimits, depth: InspectionDepth = 'guest'): Verdict {
  const steps = inspectInSteps(file, declared, limits, depth);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

interface JudgedHeaders {
  readonly inspector: FormatInspector;
  readonly description: Omit<Description, 'virtualSizeOffset'>;
}

function judgeHeaders(file: ByteReader, declared: DiskFormat, limits: InspectionLimits): JudgedHeaders {
  const edges = edgesOf(file);
  const inspector = recognise(edges, declared);
  inspector.checkHead(edges.head, edges.sizeBytes);
  const { virtualSizeOffset, ...description } = inspector.describe(file);
  checkVirtualSize(description, virtualSizeOffset, limits);
  checkRecognised(description, limits);
  return { inspector, description };
}

function* judgeTables(file: ByteReader, disk: GuestDisk): Generator<InspectionStep, void, undefined> {
  for (const space of FileSpace.passes(file.sizeBytes, disk.unitBytes)) {
    const walk = disk.walk(space);
    while (walk.next().done !== true) yield beforeGuest;
  }
}

/** What reading the guest's disk adds to a verdict. Of its beginning alone no digest is made, and what lies further on is not seen. */
function* readGuest(
  file: ByteReader,
  disk: GuestDisk,
  { inspector, description }: JudgedHeaders,
  onlyBeginning: boolean,
): Generator<InspectionStep, { readonly guestDigest: string; readonly facts: Readonly<Record<string, string>> }, undefined> {
  const digest = new GuestDigest();
  const probe = new GuestProbe();
  const bytesTotal = Number(disk.sizeBytes);
  const take = (index: number, block: Uint8Array): void => {
    // The last block is padded.
    const offset = index * guestBlockBytes;
    probe.take(offset, block.subarray(0, bytesTotal - offset));
    if (!onlyBeginning) digest.take(index, block);
  };
  for (const bytesDone of readGuestBlocks(file, disk, take)) {
    yield { bytesDone, bytesTotal };
    if (onlyBeginning && bytesDone >= beginningBytes) break;
  }
  const { facts, nested } = probe.finish(disk.sizeBytes);
  checkNested(inspector.format, nested);
  const found = { ...description.facts, ...facts };
  if (onlyBeginning) return { guestDigest: '', facts: found };
  return { guestDigest: digest.finish(), facts: { ...found, data_bytes: String(digest.blocks * guestBlockBytes) } };
}

function checkVirtualSize({ virtualSizeBytes: value }: Pick<Description, 'virtualSizeBytes'>, offset: number, { maxVirtualBytes: limit }: InspectionLimits): void {
  if (value === 0n) refuse('virtual_size.zero', 'The disk inside the image has no bytes.', { offset, value });
  if (value > limit) refuse('virtual_size', `The disk inside the image has ${value} bytes, more than the ${limit} allowed.`, { offset, value, limit });
}

function checkRecognised({ warnings }: Pick<Description, 'warnings'>, { requireRecognisedRaw = false }: InspectionLimits): void {
  if (!requireRecognisedRaw || !warnings.includes('raw.unrecognised_content')) return;
  refuse('raw.unrecognised', 'The disk begins with nothing that is known here, and this server takes only what it knows.', { offset: 0, value: 'unknown' });
}
