/** So many bytes may wait; whoever brings more waits until some were taken. */
const waitingBytesLimit = 8_388_608;

interface Item<T> {
  readonly value: T;
  readonly sizeBytes: number;
}

/** Hands values from who brings them to who takes them, in order, at the pace of the slower of the two. */
export class AuditQueue<T> {
  readonly #waiting: Item<T>[] = [];
  #waitingBytes = 0;
  #changed = Promise.withResolvers<void>();
  #end: { readonly cause: unknown } | undefined;

  /** Resolves once there is room for more, or nobody takes any more. */
  async put(value: T, sizeBytes: number): Promise<void> {
    if (this.#hasEnded()) return;
    this.#waiting.push({ value, sizeBytes });
    this.#waitingBytes += sizeBytes;
    this.#change();
    while (this.#waitingBytes > waitingBytesLimit && !this.#hasEnded()) await this.#changed.promise;
  }

  /** Nothing more comes. Once what waits was taken `take` says so, or throws `cause` where there is one. */
  end(cause?: unknown): void {
    this.#end ??= { cause };
    this.#change();
  }

  /** The next value; undefined at the end. */
  async take(): Promise<T | undefined> {
    for (;;) {
      const item = this.#waiting.shift();
      if (item !== undefined) {
        this.#waitingBytes -= item.sizeBytes;
        this.#change();
        return item.value;
      }
      if (this.#end?.cause !== undefined) throw this.#end.cause as Error;
      if (this.#end !== undefined) return undefined;
      await this.#changed.promise;
    }
  }

  #hasEnded(): boolean {
    return this.#end !== undefined;
  }

  #change(): void {
    const changed = this.#changed;
    this.#changed = Promise.withResolvers<void>();
    changed.resolve();
  }
}
