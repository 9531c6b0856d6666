import type { Logger } from 'pino';

/** A step that takes longer than this is told of: whoever waits for the server to stop wants to know for what. */
const slowStepMs = 10_000;

/** What is to be undone when the server stops. */
export interface StopStep {
  /** What is waited for, for the operator. */
  readonly name: string;
  readonly run: () => unknown;
}

/** What was begun, to be ended in the opposite order. */
export class StopSteps {
  readonly #logger: Logger;
  readonly #steps: StopStep[] = [];

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  push(name: string, run: StopStep['run']): void {
    this.#steps.push({ name, run });
  }

  /** Takes the steps, the last one first, each when the one before it has ended. */
  async run(): Promise<void> {
    for (const { name, run } of this.#steps.toReversed()) {
      const timer = setInterval(() => { this.#logger.warn({ step: name }, `stopping waits for ${name}`); }, slowStepMs);
      try {
        await run();
      } finally {
        clearInterval(timer);
      }
    }
  }
}
