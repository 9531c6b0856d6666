import { Worker, type ResourceLimits } from 'node:worker_threads';

/** A thread's program and what it is given. */
export interface ThreadProgram {
  /** The module beside this one, without its ending. */
  readonly name: string;
  readonly workerData: unknown;
  readonly resourceLimits: ResourceLimits;
}

/** What is told of a thread. */
export interface ThreadListeners<From> {
  /** Each message, in order: an answer is handed to `answer`. */
  readonly onMessage: (message: From) => void;
  /** Once, when nothing can be asked any more; `isClosing`: because that was asked for. */
  readonly onEnd: (cause: Error, isClosing: boolean) => void;
}

/**
 * Starts a thread and asks it things, which it answers in the order in which they were asked. When it dies everything that
 * was asked is rejected, and so is whatever is asked afterwards.
 */
export class ThreadCalls<To extends { readonly kind: string }, From> {
  readonly #name: string;
  readonly #thread: Worker;
  readonly #onEnd: ThreadListeners<From>['onEnd'];
  readonly #pending: PromiseWithResolvers<From>[] = [];
  #ended: Error | undefined;
  #isClosing = false;

  constructor({ name, workerData, resourceLimits }: ThreadProgram, { onMessage, onEnd }: ThreadListeners<From>) {
    this.#name = name;
    this.#onEnd = onEnd;
    // Compiled, this file and the thread's have the ending .js; run natively, .ts.
    const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
    this.#thread = new Worker(new URL(`${name}.${ending}`, import.meta.url), { workerData, resourceLimits });
    this.#thread.on('message', onMessage);
    this.#thread.on('error', (cause) => { this.end(cause instanceof Error ? cause : new Error(String(cause))); });
    // A thread that was asked to end may have ended before its answer is heard.
    this.#thread.on('exit', (code) => { this.end(this.#isClosing ? this.#closed() : new Error(`the ${name.replace('-', ' ')} ended with code ${code}`)); });
  }

  /** Asks one thing; `transfer` moves to the thread. */
  ask(message: To, transfer: readonly ArrayBuffer[] = []): Promise<From> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    const call = Promise.withResolvers<From>();
    this.#pending.push(call);
    this.#thread.postMessage(message, transfer);
    return call.promise;
  }

  /** Settles what was asked first of all that is not answered yet. */
  answer(message: From): void {
    this.#pending.shift()?.resolve(message);
  }

  /** The thread cannot be asked any more, because of `cause`. Only the first call counts. */
  end(cause: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = cause;
    for (const { reject } of this.#pending.splice(0)) reject(cause);
    this.#onEnd(cause, this.#isClosing);
  }

  /** Ends the thread, after it has answered `last` where that is given. Does nothing where it has ended. */
  async close(last: To | undefined): Promise<void> {
    if (this.#ended !== undefined) return;
    // Set before an answer is waited for: the end of the thread may be told in the same turn.
    this.#isClosing = true;
    if (last !== undefined) await this.ask(last);
    this.end(this.#closed());
    await this.#thread.terminate();
  }

  #closed(): Error {
    return new Error(`the ${this.#name.replace('-', ' ')} was closed`);
  }
}
