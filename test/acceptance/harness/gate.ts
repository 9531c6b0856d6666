import type { Behaviour } from './source-server.ts';

/** Content of which the second half comes only when the test says so: a transfer that is under way for as long as one likes. */
export class Gate {
  readonly behaviour: Behaviour;
  readonly #opened = Promise.withResolvers<void>();
  #asked = Promise.withResolvers<void>();
  #left = Promise.withResolvers<void>();

  constructor(content: Uint8Array) {
    this.behaviour = (response) => {
      const half = content.length >> 1;
      response.writeHead(200, { 'content-length': content.length });
      response.write(content.subarray(0, half), () => this.#asked.resolve());
      response.once('close', () => {
        if (!response.writableFinished) this.#left.resolve();
      });
      void this.#opened.promise.then(() => response.end(content.subarray(half)));
    };
  }

  /** Resolves when somebody has been sent the first half. */
  get asked(): Promise<void> {
    return this.#asked.promise;
  }

  /** Resolves when a reader has gone away before the end. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  /** Lets the second half through, to those who wait and those who come. */
  open(): void {
    this.#opened.resolve();
  }

  /** Forgets who has asked and who has left. */
  reset(): void {
    this.#asked = Promise.withResolvers<void>();
    this.#left = Promise.withResolvers<void>();
  }
}
