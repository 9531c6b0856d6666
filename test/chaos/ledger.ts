/** Violations that are kept; the rest is counted. */
export const violationLimit = 50;

/** A rule that did not hold. `evidence`: for a person, a line each, such as the calls that show it. */
export interface Violation {
  readonly rule: string;
  readonly detail: string;
  readonly evidence: readonly string[];
}

/** Lines of the diary that are kept, the last ones. */
const diaryLimit = 20_000;

/** What a run has come to so far: how often what happened, when, and every rule that was broken. */
export class Ledger {
  readonly violations: Violation[] = [];
  readonly counts = new Map<string, number>();
  readonly #diary: string[] = [];
  readonly #startMs = performance.now();
  readonly #onNote: ((line: string) => void) | undefined;
  #violationCount = 0;

  /** `onNote` is told each line of the diary. */
  constructor(onNote?: (line: string) => void) {
    this.#onNote = onNote;
  }

  /** Milliseconds since the run began. */
  get nowMs(): number {
    return performance.now() - this.#startMs;
  }

  get violationCount(): number {
    return this.#violationCount;
  }

  /** What happened when, a line each. */
  get diary(): readonly string[] {
    return this.#diary;
  }

  count(what: string, times: number = 1): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + times);
  }

  note(line: string): void {
    const dated = `${(this.nowMs / 1_000).toFixed(2).padStart(8)} s  ${line}`;
    if (this.#diary.length >= diaryLimit) this.#diary.shift();
    this.#diary.push(dated);
    this.#onNote?.(dated);
  }

  violate(rule: string, detail: string, evidence: readonly string[] = []): void {
    this.#violationCount += 1;
    this.note(`VIOLATION ${rule}: ${detail}`);
    if (this.violations.length < violationLimit) this.violations.push({ rule, detail, evidence });
  }
}
