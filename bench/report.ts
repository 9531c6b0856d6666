/** One figure: what was measured, and against what. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, in the same run; empty: nothing. */
  readonly versus: string;
  /** `value` by that of `versus`; for times less is better, for rates more. */
  readonly ratio: number | undefined;
}

/** Prints a figure as it comes: a line for people, or one JSON object. */
export function report(figure: Figure, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(figure)}\n`);
    return;
  }
  const value = figure.value >= 100 ? Math.round(figure.value).toLocaleString('en') : figure.value.toFixed(2);
  const comparison = figure.ratio === undefined ? '' : `   ${figure.ratio.toFixed(2)} of ${figure.versus}`;
  process.stdout.write(`${figure.name.padEnd(46)} ${`${value} ${figure.unit}`.padStart(18)}${comparison}\n`);
}

/** The value below which the share `p` of the numbers lies; `numbers` is sorted in place. */
export function percentile(numbers: number[], p: number): number {
  numbers.sort((a, b) => a - b);
  return numbers[Math.min(numbers.length - 1, Math.floor(numbers.length * p))] ?? 0;
}

/** The middle one of an odd number of measurements. */
export function median(numbers: readonly number[]): number {
  return percentile([...numbers], 0.5);
}

/** The least of some times. */
export function best(seconds: readonly number[]): number {
  return Math.min(...seconds);
}
