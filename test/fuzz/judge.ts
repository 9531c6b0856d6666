import { isDeepStrictEqual } from 'node:util';

import { checkTable } from '../../src/formats/check-table.ts';
import type { CheckName } from '../../src/formats/check-table.ts';
import { phaseOf } from '../../src/formats/check-results.ts';
import { edgesOf } from '../../src/formats/reading/edges.ts';
import { headBytes, inspectHead } from '../../src/formats/inspect-head.ts';
import { inspect, inspectInSteps, inspectionReadLimitBytes } from '../../src/formats/inspect.ts';
import type { InspectionDepth, InspectionLimits } from '../../src/formats/inspect.ts';
import { recognise } from '../../src/formats/recognise.ts';
import type { Verdict } from '../../src/formats/verdict.ts';
import type { DiskFormat } from '../../src/gen/lehr/v1/disk_format.ts';
import { CountingReader } from './counting-reader.ts';
import type { LiveMemory } from './live-memory.ts';

/** No inspector keeps more, beside the bytes of one compressed piece. */
const memoryLimitBytes = 8 * 2 ** 20 + 2 * 2 ** 20;
/** A read that is larger would alone break that. */
const largestReadBytes = 4 * 2 ** 20;

/** Checks of these phases never fail at depth `headers`: whoever shows what was judged goes by that. */
const laterPhases: readonly string[] = ['tables', 'guest'];

/** Whether only the guest's bytes lead to a check, or may do so: a disk that is encrypted may lie in an image or be the file. */
function isOfGuest(check: string): boolean {
  return check === 'luks.encryption' || (check in checkTable && phaseOf(check as CheckName) === 'guest');
}

/** What was found out about one image. `faults`: sentences about what the inspectors may never do; none where all is well. */
export interface Judgement {
  readonly verdict: Verdict | undefined;
  readonly faults: readonly string[];
  readonly reads: number;
  readonly bytesRead: number;
  readonly yields: number;
  readonly memoryBytes: number;
}

/** Inspects an image in every way that there is and holds the answers against each other. `memory`: measured where given. */
export function judge(bytes: Uint8Array, declared: DiskFormat, limits: InspectionLimits, memory?: LiveMemory): Judgement {
  const faults: string[] = [];
  const cost = { reads: 0, bytesRead: 0, yields: 0, memoryBytes: 0 };
  try {
    const counted = inspectCounted(bytes, declared, limits, memory);
    const { verdict, reads, bytesRead, yields, memoryBytes } = counted;
    Object.assign(cost, { reads, bytesRead, yields, memoryBytes });
    faults.push(...costFaults(counted, bytes.length));
    faults.push(...(verdict.kind === 'refused' ? refusalFaults(verdict) : acceptanceFaults(bytes, declared, verdict)));
    faults.push(...depthFaults(bytes, declared, limits, verdict));
    return { verdict, faults, ...cost };
  } catch (error) {
    return { verdict: undefined, faults: [...faults, `threw ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`], ...cost };
  }
}

interface Counted {
  readonly verdict: Verdict;
  readonly reads: number;
  readonly bytesRead: number;
  readonly largestRead: number;
  readonly yields: number;
  readonly memoryBytes: number;
}

function inspectCounted(bytes: Uint8Array, declared: DiskFormat, limits: InspectionLimits, memory?: LiveMemory): Counted {
  const reader = new CountingReader(bytes);
  const steps = inspectInSteps(reader, declared, limits, 'guest');
  memory?.start();
  for (let yields = 0; ; yields += 1) {
    const step = steps.next();
    if (step.done === true) {
      const { reads, bytesRead, largestRead } = reader;
      return { verdict: step.value, reads, bytesRead, largestRead, yields, memoryBytes: memory?.mostBytes ?? 0 };
    }
    memory?.look(yields);
  }
}

/**
 * Every part of the file is used once, so each of two passes over tables and one over data reads it once at most; ends and
 * markers add a bounded part. The smallest thing that is read or told has a sector, or an entry of 4 bytes.
 */
function costFaults(counted: Counted, sizeBytes: number): readonly string[] {
  const { verdict, reads, bytesRead, largestRead, yields, memoryBytes } = counted;
  const guestSectors = verdict.kind === 'accepted' ? Number(verdict.virtualSizeBytes / 512n) : Infinity;
  const bounds = [
    ['reads', reads, 512 + sizeBytes / 128],
    ['bytes read', bytesRead, inspectionReadLimitBytes + 4 * sizeBytes],
    ['bytes of one read', largestRead, largestReadBytes],
    ['yields', yields, 512 + Math.min(sizeBytes / 2, 2 * guestSectors + sizeBytes / 128)],
    ['bytes of memory', memoryBytes, memoryLimitBytes],
  ] as const;
  return bounds.filter(([, value, limit]) => value > limit).map(([what, value, limit]) => `${value} ${what}, more than ${Math.floor(limit)}`);
}

function refusalFaults({ failure: { metadata, message } }: Extract<Verdict, { kind: 'refused' }>): readonly string[] {
  const check = metadata['check'] ?? '';
  if (!(check in checkTable)) return [`refused by ${check}, which is no check`];
  return [
    ...['offset', 'value'].filter((name) => !(name in metadata)).map((name) => `${check} names no ${name}`),
    ...(/^[ -~]+$/.test(message) ? [] : [`${check} has an unprintable message`]),
  ];
}

function acceptanceFaults(bytes: Uint8Array, declared: DiskFormat, verdict: Extract<Verdict, { kind: 'accepted' }>): readonly string[] {
  const head = inspectHead(bytes.subarray(0, headBytes), declared);
  const reader = new CountingReader(bytes);
  const disk = recognise(edgesOf(reader), declared).open(reader);
  const faults = head === undefined ? [] : [`the head alone was refused by ${head.metadata['check'] ?? ''}`];
  if (disk.sizeBytes !== verdict.virtualSizeBytes) faults.push(`the disk has ${disk.sizeBytes} bytes, the verdict says ${verdict.virtualSizeBytes}`);
  let at = 0;
  for (const extent of disk.walk()) {
    const storedBytes = extent.kind === 'zero' ? 0 : extent.kind === 'stored' ? extent.lengthBytes : extent.storedBytes;
    const isInside = extent.kind === 'zero' || (extent.offset >= 0 && storedBytes > 0 && extent.offset + storedBytes <= bytes.length);
    if (!(extent.lengthBytes > 0) || !isInside) return [...faults, `an impossible extent for the guest's byte ${at}: ${JSON.stringify(extent)}`];
    at += extent.lengthBytes;
  }
  if (BigInt(at) !== verdict.virtualSizeBytes) faults.push(`the extents have ${at} bytes, the disk ${verdict.virtualSizeBytes}`);
  return faults;
}

/** A verdict that goes less far says the same as far as it goes, and the same again. */
function depthFaults(bytes: Uint8Array, declared: DiskFormat, limits: InspectionLimits, guest: Verdict): readonly string[] {
  const faults: string[] = [];
  const at = (depth: InspectionDepth): Verdict => {
    const reader = new CountingReader(bytes);
    const verdict = inspect(reader, declared, limits, depth);
    if (depth === 'headers' && reader.bytesRead > inspectionReadLimitBytes) faults.push(`${reader.bytesRead} bytes read for headers alone`);
    return verdict;
  };
  if (!isDeepStrictEqual(at('guest'), guest)) faults.push('the same bytes were judged in two ways');
  for (const depth of ['headers', 'tables', 'content'] as const) {
    const verdict = at(depth);
    if (verdict.kind === 'refused') {
      const check = verdict.failure.metadata['check'] ?? '';
      if (!isDeepStrictEqual(verdict, guest)) faults.push(`refused by ${check} at depth ${depth} only`);
      if (depth === 'headers' && check in checkTable && laterPhases.includes(phaseOf(check as CheckName))) faults.push(`${check} failed before its phase`);
    } else if (guest.kind === 'accepted') {
      const { format, virtualSizeBytes, warnings } = guest;
      const isSame = isDeepStrictEqual([verdict.format, verdict.virtualSizeBytes, verdict.warnings], [format, virtualSizeBytes, warnings]);
      if (!isSame) faults.push(`another verdict at depth ${depth}`);
    } else if (depth !== 'headers' && !isOfGuest(guest.failure.metadata['check'] ?? '')) {
      faults.push(`accepted at depth ${depth}, but refused by ${guest.failure.metadata['check'] ?? ''} of the tables`);
    }
  }
  return faults;
}
