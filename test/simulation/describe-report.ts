import type { Report } from './simulate-seed.ts';

/** What a person needs to see of a seed that failed, and how to run it again. */
export function describeReport({ seed, violation, trace, virtualMs, steps }: Report): string {
  if (violation === undefined) return `seed ${seed}: every invariant held through ${steps} steps`;
  return [
    ...trace,
    '',
    `seed ${seed} breaks: ${violation.invariant}`,
    `  ${violation.detail}`,
    `  after ${steps} steps and ${Math.round(virtualMs / 1_000)} s of virtual time; the last steps are above`,
    `  run it again: npm run simulate -- --seed ${seed}`,
  ].join('\n');
}
