import type { Violation } from './ledger.ts';

/** What a run came to. */
export interface ChaosReport {
  readonly seed: number;
  readonly deployment: 'cluster' | 'embedded';
  readonly wallMs: number;
  /** How often what happened. */
  readonly counts: Readonly<Record<string, number>>;
  /** The most memory that each node had resident, in MiB. */
  readonly peakMiB: Readonly<Record<string, number>>;
  readonly violationCount: number;
  /** The first of them. */
  readonly violations: readonly Violation[];
  /** Where data, logs and the diary are; undefined where they are gone, because all is well. */
  readonly folder: string | undefined;
}

/** The report for a person: the first violation with its evidence last, so that it is what stands at the end of a screen. */
export function describeReport({ seed, deployment, wallMs, counts, peakMiB, violationCount, violations, folder }: ChaosReport): string {
  const [first, ...others] = violations;
  const lines = [
    ...Object.entries(counts).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => `${String(count).padStart(7)}  ${what}`),
    ...Object.entries(peakMiB).map(([node, mib]) => `${String(mib).padStart(7)}  MiB, the most that ${node} had resident`),
    '',
  ];
  const run = `seed ${seed}, ${deployment}, ${(wallMs / 1_000).toFixed(1)} s`;
  const where = folder === undefined ? [] : [`Data, logs and diary are in ${folder}.`];
  if (first === undefined) return [...lines, ...where, `every rule held: ${run}`].join('\n');
  const rest = others.slice(0, 20).map(({ rule, detail }) => `then: ${rule}: ${detail}`);
  return [
    ...lines, ...rest, `${violationCount} violations: ${run}. The first: ${first.rule}: ${first.detail}`, ...first.evidence.map((line) => `  ${line}`),
    ...where,
  ].join('\n');
}
