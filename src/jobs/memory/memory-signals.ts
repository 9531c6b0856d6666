import type { ProgressSignal, Signals } from '../signals.ts';

/** Signals within one process. */
export class MemorySignals implements Signals {
  readonly #listeners = new Set<(signal: ProgressSignal) => void>();

  publish(signal: ProgressSignal): void {
    for (const listener of this.#listeners) listener(signal);
  }

  listen(listener: (signal: ProgressSignal) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
