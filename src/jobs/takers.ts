interface Taker<Item> {
  readonly resolve: (item: Item) => void;
}

/** Those who wait for an item, the first come first. */
export class Takers<Item> {
  readonly #waiting: Taker<Item>[] = [];

  /** How many wait. */
  get count(): number {
    return this.#waiting.length;
  }

  /** Gives `item` to who has waited for longest. False: nobody waits. */
  give(item: Item): boolean {
    const taker = this.#waiting.shift();
    taker?.resolve(item);
    return taker !== undefined;
  }

  /** Waits for an item; rejects with the signal's reason when it aborts, and takes none along then. */
  async wait(signal: AbortSignal): Promise<Item> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<Item>();
    const taker = { resolve };
    const onAbort = (): void => {
      const index = this.#waiting.indexOf(taker);
      if (index >= 0) this.#waiting.splice(index, 1);
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', onAbort, { once: true });
    this.#waiting.push(taker);
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}
