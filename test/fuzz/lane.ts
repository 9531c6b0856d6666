import { Worker } from 'node:worker_threads';

import type { LaneData, LaneReply, LaneRequest, RoundReport } from './messages.ts';
import type { RoundSettings } from './round.ts';

/** A thread may use so much of the heap: V8 ends it beyond. */
const heapLimits = { maxOldGenerationSizeMb: 96, maxYoungGenerationSizeMb: 16 };

/** A round takes milliseconds; only one that goes in circles is at the same seed for so long, on whatever machine. */
const hangMs = 60_000;
const lookEveryMs = 1_000;

/** A thread for rounds, which is replaced where a round breaks it. Use it for one request at a time, and `close` it. */
export class Lane {
  readonly #settings: RoundSettings;
  readonly #atSeed = new Int32Array(new SharedArrayBuffer(4));
  #worker: Worker;

  constructor(settings: RoundSettings) {
    this.#settings = settings;
    this.#worker = this.#start();
  }

  /** Runs seeds. One that hangs or breaks the thread is told as a fault of its round, and those after it are run in a new thread. */
  async run(request: LaneRequest): Promise<LaneReply> {
    const broken: RoundReport[] = [];
    const outcomes: LaneReply['outcomes'][number][] = [];
    let { from, count } = request;
    while (count > 0) {
      const answer = await this.#ask({ ...request, from, count });
      if (typeof answer !== 'string') return { rounds: [...broken, ...answer.rounds], outcomes: [...outcomes, ...answer.outcomes] };
      const seed = Atomics.load(this.#atSeed, 0);
      broken.push(brokenRound(seed, answer));
      outcomes.push({ format: 'DISK_FORMAT_UNSPECIFIED', outcome: answer, count: 1 });
      // What the seeds before it gave is lost with the thread, but found again by them.
      const before = seed > from ? await this.run({ ...request, from, count: seed - from }) : { rounds: [], outcomes: [] };
      broken.push(...before.rounds);
      outcomes.push(...before.outcomes);
      count -= seed + 1 - from;
      from = seed + 1;
    }
    return { rounds: broken, outcomes };
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #start(): Worker {
    const data: LaneData = { ...this.#settings, atSeed: this.#atSeed };
    return new Worker(new URL('lane-thread.ts', import.meta.url), { workerData: data, resourceLimits: heapLimits });
  }

  /** The reply, or what broke the thread. */
  async #ask(request: LaneRequest): Promise<LaneReply | string> {
    const worker = this.#worker;
    Atomics.store(this.#atSeed, 0, request.from);
    const answer = await new Promise<LaneReply | string>((resolve) => {
      let seed = request.from;
      let sinceMs = performance.now();
      const watch = setInterval(() => {
        const now = Atomics.load(this.#atSeed, 0);
        if (now !== seed) [seed, sinceMs] = [now, performance.now()];
        else if (performance.now() - sinceMs > hangMs) settle('the inspection did not end');
      }, lookEveryMs);
      const broke = (error: unknown): void => settle(`the thread broke: ${error instanceof Error ? error.message : String(error)}`);
      const ended = (code: number): void => settle(`the thread ended with ${code}`);
      const settle = (result: LaneReply | string): void => {
        clearInterval(watch);
        worker.off('message', settle).off('exit', ended);
        // What a thread that is given up still has to say is not heard, and must not end the process.
        if (typeof result !== 'string') worker.off('error', broke);
        resolve(result);
      };
      worker.on('message', settle).on('error', broke).on('exit', ended);
      worker.postMessage(request);
    });
    if (typeof answer === 'string') {
      await this.close();
      this.#worker = this.#start();
    }
    return answer;
  }
}

function brokenRound(seed: number, fault: string): RoundReport {
  const unknown = 'DISK_FORMAT_UNSPECIFIED';
  return {
    seed, image: 'not told', format: unknown, declared: unknown, steps: [], faults: [fault], verdict: undefined, reads: 0, bytesRead: 0, yields: 0, memoryBytes: 0,
  };
}
