import type { DiskFormat } from '../gen/lehr/v1/disk_format.ts';
import { checkTable } from './check-table.ts';
import type { CheckName } from './check-table.ts';
import type { InspectionDepth } from './inspect.ts';
import type { Verdict } from './verdict.ts';
import type { Wrapper } from './wrapper.ts';

/**
 * What came of one check. `not judged`: a check before it refused the image, or the inspection did not go so deep. What
 * stands in one phase with a check that failed counts as not judged, since nobody knows which of them came first.
 */
export interface CheckResult {
  readonly name: CheckName;
  readonly result: 'passed' | 'failed' | 'not judged';
}

/** The phases of an inspection, in order: each ends before the next begins. */
const phases = ['unwrapping', 'recognition', 'headers', 'tables', 'guest'] as const;
type Phase = (typeof phases)[number];

/** How many phases an inspection of each depth goes through. */
const phasesOf: Readonly<Record<InspectionDepth, number>> = { headers: 3, tables: 4, content: 4, guest: 5 };

const unwrapping: readonly string[] = ['compressed.', 'ova.'];
const recognition: readonly string[] = ['content.', 'format.', 'polyglot', 'luks.', 'raw.empty'];

/** Checks that fail in tables only, and in the guest's data only. The others may fail as early as in the headers. */
const tableChecks: ReadonlySet<CheckName> = new Set<CheckName>([
  'qcow2.refcount_block', 'qcow2.refcount', 'qcow2.l2_table', 'qcow2.l2_entry', 'qcow2.cluster', 'qcow2.compressed', 'qcow2.overlap',
  'vmdk.marker', 'vmdk.grain_table', 'vmdk.grain_entry', 'vmdk.redundant_tables', 'vmdk.overlap',
  'vhd.block', 'vhd.overlap', 'vhd.sector_bitmap', 'vhdx.block_state', 'vhdx.block', 'vhdx.overlap', 'vdi.block_entry', 'vdi.overlap',
]);
const guestChecks: ReadonlySet<CheckName> = new Set<CheckName>(['compressed_data', 'nested_format']);

/** The phase in which a check may fail first. */
export function phaseOf(check: CheckName): Phase {
  if (unwrapping.some((prefix) => check.startsWith(prefix))) return 'unwrapping';
  if (recognition.some((prefix) => check.startsWith(prefix))) return 'recognition';
  if (tableChecks.has(check)) return 'tables';
  return guestChecks.has(check) ? 'guest' : 'headers';
}

/** Prefixes of checks that are made of one format alone. */
const formatPrefixes = ['raw.', 'qcow2.', 'vmdk.', 'vhd.', 'vhdx.', 'vdi.', 'iso.'];

/**
 * The checks that concern an image, in the order of the table, and what came of each. `wrapper`: what the image came in;
 * undefined: in nothing. `unfinished`: how those checks of the unwrapping begin that were not made to their end, though the image
 * inside was looked at.
 */
export function checkResults(
  verdict: Verdict, depth: InspectionDepth, wrapper?: Wrapper, unfinished: readonly string[] = [],
): readonly CheckResult[] {
  const failed = verdict.kind === 'refused' ? verdict.failure.metadata['check'] : undefined;
  const failedPhase = isCheck(failed) ? phases.indexOf(phaseOf(failed)) : undefined;
  const prefix = verdict.kind === 'accepted' ? prefixOf(verdict.format) : formatPrefixes.find((known) => failed?.startsWith(known));
  const names = (Object.keys(checkTable) as CheckName[]).filter((name) => {
    const own = formatPrefixes.find((known) => name.startsWith(known));
    if (name.startsWith('ova.')) return wrapper === 'ova';
    if (name.startsWith('compressed.')) return wrapper !== undefined;
    return own === undefined || own === prefix;
  });
  return names.map((name) => {
    if (name === failed) return { name, result: 'failed' };
    if (unfinished.some((beginning) => name.startsWith(beginning))) return { name, result: 'not judged' };
    const phase = phases.indexOf(phaseOf(name));
    return { name, result: phase < (failedPhase ?? phasesOf[depth]) ? 'passed' : 'not judged' };
  });
}

function prefixOf(format: DiskFormat): string {
  return `${format.replace('DISK_FORMAT_', '').toLowerCase()}.`;
}

function isCheck(name: string | undefined): name is CheckName {
  return name !== undefined && name in checkTable;
}
