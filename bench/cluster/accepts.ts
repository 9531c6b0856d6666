/** When appends to each partition were acknowledged, on the clock of `performance.now()`. */
export class Accepts {
  readonly #times = new Map<number, number[]>();

  constructor(partitions: number) {
    for (let partition = 0; partition < partitions; partition += 1) this.#times.set(partition, []);
  }

  add(partition: number): void {
    this.#times.get(partition)?.push(performance.now());
  }

  /** Whether each partition had one after `sinceMs`. */
  haveAllSince(sinceMs: number): boolean {
    return [...this.#times.values()].every((times) => (times.at(-1) ?? 0) > sinceMs);
  }

  /** The longest time without one in any partition between two times, and when the last pause of `pauseMs` or more in any of them ended. */
  pauses(fromMs: number, toMs: number, pauseMs: number): { readonly longestMs: number; readonly allGoOnMs: number } {
    let longestMs = 0;
    let allGoOnMs = fromMs;
    for (const times of this.#times.values()) {
      const within = [fromMs, ...times.filter((time) => time > fromMs && time < toMs), toMs];
      within.forEach((time, index) => {
        const pause = time - (within[index - 1] ?? time);
        longestMs = Math.max(longestMs, pause);
        if (pause >= pauseMs) allGoOnMs = Math.max(allGoOnMs, time);
      });
    }
    return { longestMs, allGoOnMs };
  }
}
