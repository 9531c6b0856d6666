import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Memory is looked at after so many steps; each look costs milliseconds. */
const looks: ReadonlySet<number> = new Set([0, 1, 3, 10, 30, 100, 1000]);

/** Measures what a thread holds in buffers and on its heap, without garbage: it collects that before it looks. */
export class LiveMemory {
  readonly #collect: () => void;
  #startBytes = 0;
  mostBytes = 0;

  constructor() {
    setFlagsFromString('--expose-gc');
    this.#collect = runInNewContext('gc') as () => void;
  }

  /** From here on growth counts. */
  start(): void {
    this.mostBytes = 0;
    this.#startBytes = this.#liveBytes();
  }

  /** Looks, at some of the steps. */
  look(step: number): void {
    if (looks.has(step)) this.mostBytes = Math.max(this.mostBytes, this.#liveBytes() - this.#startBytes);
  }

  #liveBytes(): number {
    this.#collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  }
}
