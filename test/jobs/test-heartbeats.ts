import type { Heartbeat, Heartbeats } from '../../src/jobs/heartbeats.ts';

/** Heartbeats within one test, which come at once, or not at all while `isAway`. */
export class TestHeartbeats implements Heartbeats {
  /** Whether they get lost. */
  isAway = false;
  /** Those that came through. */
  readonly heard: Heartbeat[] = [];
  readonly #listeners = new Set<(heartbeat: Heartbeat) => void>();

  beat(heartbeat: Heartbeat): void {
    if (this.isAway) return;
    this.heard.push(heartbeat);
    for (const listener of this.#listeners) listener(heartbeat);
  }

  listen(listener: (heartbeat: Heartbeat) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
