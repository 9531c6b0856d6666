import { hasReached, type Position } from '../log/position.ts';

/** How far the projections of this node are, and a way to wait for a place. */
export class AppliedPosition {
  #position: Position;
  #moved = Promise.withResolvers<void>();

  constructor(position: Position) {
    this.#position = position;
  }

  get position(): Position {
    return this.#position;
  }

  /** The projections hold everything up to `position` now. */
  advance(position: Position): void {
    this.#position = position;
    const moved = this.#moved;
    this.#moved = Promise.withResolvers<void>();
    moved.resolve();
  }

  /** Resolves once `target` is held; rejects with the signal's reason when it aborts before. */
  async reached(target: Position, signal: AbortSignal): Promise<void> {
    if (hasReached(this.#position, target)) return;
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => { aborted.reject(signal.reason as Error); };
    signal.throwIfAborted();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      while (!hasReached(this.#position, target)) await Promise.race([this.#moved.promise, aborted.promise]);
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
