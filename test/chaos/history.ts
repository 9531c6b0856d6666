import { Refused } from '../acceptance/harness/refused.ts';
import type { Task } from '../../src/gen/lehr/v1/task.ts';
import type { Answer, AskedCall, Operation, TokenOrigin } from '../linearizability/operation.ts';
import type { Ledger } from './ledger.ts';

/** Codes after which nobody knows what came of a call: the answer was lost, late, or that very "perhaps". */
const unknownCodes = ['UNAVAILABLE', 'DEADLINE_EXCEEDED', 'CANCELLED', 'INTERNAL', 'UNKNOWN'];

/** A call that takes longer is worth a line in the diary. */
const slowCallMs = 5_000;

/** What an answer carries beside what the check of the history needs. */
interface AnsweredTask {
  readonly task?: Task | undefined;
  readonly readToken?: string;
}

/** A call that was recorded, with the token to read it back by; empty where there is none. */
export interface Recorded {
  readonly operation: Operation;
  readonly readToken: string;
}

/** A call whose answer came with a read token, and what that promises. */
export interface Acknowledged {
  readonly id: string;
  readonly origin: TokenOrigin;
  readonly readToken: string;
}

/** All calls of all clients of a run, in the order in which they began. */
export class History {
  readonly #byRequest = new Map<string, Operation[]>();
  readonly #newest = new Map<string, Acknowledged>();
  readonly #ledger: Ledger;
  #number = 0;
  #lastMs: number | undefined;
  #silenceMs = 0;
  #silentFromMs = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Makes a call on one task and records it. Never rejects because of what the server did. */
  async record(requestId: string, node: string, call: AskedCall, ask: () => Promise<AnsweredTask>): Promise<Recorded> {
    this.#number += 1;
    const number = this.#number;
    const startMs = this.#ledger.nowMs;
    const { answer, readToken } = await this.#answerOf(ask);
    const operation: Operation = { number, requestId, node, call, startMs, endMs: this.#ledger.nowMs, answer };
    const others = this.#byRequest.get(requestId);
    if (others === undefined) this.#byRequest.set(requestId, [operation]);
    else others.push(operation);
    if (answer.kind === 'ok' && readToken !== '') {
      this.#newest.set(requestId, { id: answer.seen.id, origin: { startMs, revision: answer.seen.revision }, readToken });
    }
    const tookMs = operation.endMs - startMs;
    if (tookMs > slowCallMs) this.#ledger.note(`${call.kind} on ${node} took ${(tookMs / 1_000).toFixed(1)} s: ${answer.kind}`);
    if (answer.kind === 'ok' && readToken !== '') this.#acknowledgedAt(operation.endMs);
    this.#ledger.count(`${call.kind} ${answer.kind === 'refused' ? answer.reason : answer.kind}`);
    return { operation, readToken };
  }

  /** The longest time in which no node acknowledged a create or a cancel, in seconds, and when it began. */
  get longestSilence(): { readonly seconds: number; readonly fromSeconds: number } {
    return { seconds: round(this.#silenceMs), fromSeconds: round(this.#silentFromMs) };
  }

  #acknowledgedAt(nowMs: number): void {
    const silenceMs = nowMs - (this.#lastMs ?? nowMs);
    if (silenceMs > this.#silenceMs) [this.#silenceMs, this.#silentFromMs] = [silenceMs, nowMs - silenceMs];
    this.#lastMs = nowMs;
  }

  /** What was acknowledged last for each request id. */
  get acknowledged(): ReadonlyMap<string, Acknowledged> {
    return this.#newest;
  }

  /** The calls under each request id, in the order in which they began. */
  *perRequest(): Generator<readonly Operation[]> {
    for (const operations of this.#byRequest.values()) yield operations.toSorted((a, b) => a.number - b.number);
  }

  async #answerOf(ask: () => Promise<AnsweredTask>): Promise<{ readonly answer: Answer; readonly readToken: string }> {
    try {
      const { task, readToken = '' } = await ask();
      if (task === undefined) throw new TypeError('an answer without a task');
      const { id, state, cancelRequested, revision } = task;
      return { answer: { kind: 'ok', seen: { id, state, cancelRequested, revision: Number(revision) } }, readToken };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { code, reason, message } = error.refusal;
      if (!unknownCodes.includes(code)) return { answer: { kind: 'refused', reason: reason ?? code }, readToken: '' };
      // A connection that breaks has no reason; with one, the server says of itself that it failed.
      if (code === 'INTERNAL' && reason !== undefined) this.#ledger.violate('no call meets a fault of the server', message);
      this.#ledger.count(`unknown: ${code}${reason === undefined ? ' of the connection' : ` ${reason}`}`);
      if (code !== 'UNAVAILABLE' && code !== 'DEADLINE_EXCEEDED') this.#ledger.note(`a call ended with ${code} ${reason ?? ''}: ${message}`);
      return { answer: { kind: 'unknown', why: `${code} ${reason ?? message}` }, readToken: '' };
    }
  }
}

function round(ms: number): number {
  return Math.round(ms / 100) / 10;
}
