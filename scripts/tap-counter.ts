/** How many tests ended in which way. */
export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number };

/** What one line of AVA's TAP report is to whoever shows the run. */
export type TapLine =
  | { readonly kind: 'passed' | 'failed' | 'skipped' }
  | { readonly kind: 'detail'; readonly text: string }
  | { readonly kind: 'other' };

/** Reads AVA's TAP report line by line; see {@link createTapCounter}. */
export type TapCounter = {
  readonly read: (line: string) => TapLine;
  /** AVA's own totals, or `undefined` as long as the report has not come to its end. */
  readonly totals: () => Counts | undefined;
};

const TOTAL = /^# (pass|skip|fail) (\d+)$/;

/**
 * Reads the report that `ava --tap` writes. The totals are those that AVA states at the end (`# pass`, `# skip`,
 * `# fail`), where crashes, files without tests and tests that never ended count as failed. Counting the `ok` lines would
 * miss those.
 */
export function createTapCounter(): TapCounter {
  const stated = new Map<string, number>();
  let inFailure = false;
  return {
    read(line) {
      const total = TOTAL.exec(line);
      if (total?.[1] !== undefined) stated.set(total[1], Number(total[2]));
      if (line.startsWith('ok ')) {
        inFailure = false;
        return { kind: /# SKIP$/.test(line) ? 'skipped' : 'passed' };
      }
      if (line.startsWith('not ok ')) {
        inFailure = true;
        return { kind: 'failed' };
      }
      if (!inFailure) return { kind: 'other' };
      // The details of a failure stand below it up to a line of three dots.
      inFailure = line !== '  ...';
      return { kind: 'detail', text: line };
    },
    totals() {
      const [passed, failed] = [stated.get('pass'), stated.get('fail')];
      return passed === undefined || failed === undefined ? undefined : { passed, failed, skipped: stated.get('skip') ?? 0 };
    },
  };
}
