import type { Difference } from './difference.ts';
import type { OutcomeCount, RoundReport } from './messages.ts';
import { outcomeOf } from './round.ts';

/** A kind of difference, and how often it was met. */
export interface DifferenceKind extends Difference {
  readonly count: number;
}

/** One line for each kind of difference, the most frequent first, with the first seed that showed it. */
export function kindsOf(differences: readonly Difference[]): readonly DifferenceKind[] {
  const kinds = new Map<string, DifferenceKind>();
  for (const found of differences) {
    const key = [found.kind, found.driver, found.outcome, found.message].join('\0');
    const known = kinds.get(key) ?? { ...found, count: 0 };
    kinds.set(key, { ...known, count: known.count + 1 });
  }
  return [...kinds.values()].toSorted((a, b) => a.kind.localeCompare(b.kind) || b.count - a.count);
}

/** The kinds as a table. */
export function differenceTable(kinds: readonly DifferenceKind[]): string {
  const rows = kinds.map(({ count, kind, driver, outcome, message, seed }) => [String(count), kind, driver, outcome, message, `seed ${seed}`]);
  return alignColumns([['times', 'qemu-img is', 'driver', 'here', 'qemu-img says', 'example'], ...rows]);
}

/** How often each format had each outcome, as a table. */
export function outcomeTable(outcomes: readonly OutcomeCount[]): string {
  const rows = outcomes.toSorted((a, b) => a.format.localeCompare(b.format) || b.count - a.count);
  return alignColumns(rows.map(({ format, outcome, count }) => [format.replace('DISK_FORMAT_', '').toLowerCase(), outcome, String(count)]));
}

/** What a round did and what came of it. */
export function describeRound({ seed, image, declared, steps, faults, verdict, reads, bytesRead, yields }: RoundReport): string {
  return [
    `seed ${seed}: ${image}, declared as ${declared}`,
    ...steps.map((step) => `  ${step}`),
    `  → ${outcomeOf(verdict)}${verdict?.kind === 'refused' ? `: ${verdict.failure.message}` : ''} (${reads} reads of ${bytesRead} bytes, ${yields} pauses)`,
    ...faults.map((fault) => `  FAULT ${fault}`),
  ].join('\n');
}

function alignColumns(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n');
}
