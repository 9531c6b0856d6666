import { createInbox, nanos, type Msg, type NatsConnection } from 'nats';
import type { Clock } from '../../domain/clock.ts';
import { ensureJobStream, type Delivery } from './ensure-job-stream.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsNames } from './nats-names.ts';
import type { NatsLog } from './nats-settings.ts';
import { pause } from './pause.ts';

/** A request for jobs stands for so long; then the server sends it back, and it is made anew. */
const requestMs = 30_000;

/** The server says so often that requests stand. */
const idleHeartbeatMs = 2_500;

/** A server that says nothing for so long has lost the requests. */
const hungAfterMs = 3 * idleHeartbeatMs;

/** After a failure, JetStream is left alone for so long. */
const retryMs = 500;

/** Request Timeout: the server sends a request back. */
const statusTimeout = 408;
/** Idle Heartbeat. */
const statusIdle = 100;

/** What comes of the stream. */
export interface SourceListener {
  /** How many jobs are wanted now. */
  readonly wanted: () => number;
  /** A job came; its reply subject is where it is acknowledged. */
  readonly onJob: (message: Msg) => void;
  /** The stream is there, as it was made at `created`: since the last time, jobs may have been lost. */
  readonly onOpen: (created: string) => void;
  readonly onClosed: () => void;
}

/** What a source of jobs works with. */
export interface SourceDeps {
  readonly link: NatsLink;
  readonly names: NatsNames;
  readonly clock: Clock;
  readonly log: NatsLog;
  readonly delivery: Delivery;
  readonly listener: SourceListener;
}

/** The requests that stand at the server. */
interface Requests {
  /** Jobs that it was asked for and has not sent. */
  asked: number;
  /** When it was heard last. */
  heardMs: number;
  /** Asks for what is wanted beyond that. */
  readonly ask: () => void;
  readonly fail: (cause: Error) => void;
}

/**
 * Asks JetStream for jobs, never for more than are wanted at that moment: a job that waited in a busy node would be missing in an idle
 * one. Whatever goes wrong (the connection, the consumer or the whole stream is gone, the server hangs), it makes sure of the stream
 * again and goes on. It speaks the protocol of pull consumers itself (NATS ADR-13), on one subscription: the client's `fetch` makes
 * and drops one for each job, and waits for up to half a minute after an error.
 */
export class JobSource {
  readonly #deps: SourceDeps;
  readonly #detach: () => void;
  readonly #closed = new AbortController();
  #requests: Requests | undefined;

  constructor(deps: SourceDeps) {
    this.#deps = deps;
    this.#detach = deps.link.attach((connection, lost) => { void this.#serve(connection, lost); });
  }

  /** More may be wanted. */
  wake(): void {
    this.#requests?.ask();
  }

  /** The stream may be gone: makes sure of it. */
  check(): void {
    this.#requests?.fail(new Error('there is no stream for jobs'));
  }

  /** To be called every few seconds: notices a server that has forgotten the requests. */
  tick(): void {
    const requests = this.#requests;
    if (requests === undefined) return;
    if (requests.asked > 0 && this.#deps.clock.monotonicMs() - requests.heardMs > hungAfterMs) requests.fail(new Error('JetStream does not answer'));
    else requests.ask();
  }

  /** Asks for no more jobs. */
  close(): void {
    this.#detach();
    this.#closed.abort(new Error('closed'));
  }

  async #serve(connection: NatsConnection, lost: AbortSignal): Promise<void> {
    const { names, clock, log, delivery, listener } = this.#deps;
    const over = AbortSignal.any([lost, this.#closed.signal]);
    const isOver = (): boolean => over.aborted;
    for (let told: string | undefined; !isOver();) {
      try {
        listener.onOpen(await ensureJobStream(connection, names, delivery));
        told = undefined;
        await this.#pull(connection, over);
      } catch (cause) {
        listener.onClosed();
        if (isOver()) return;
        const problem = cause instanceof Error ? cause.message : String(cause);
        if (problem !== told) log.warn({ problem }, 'no jobs come from NATS for the moment; trying on');
        told = problem;
        await pause(clock, retryMs, over);
      }
    }
  }

  /** Takes jobs until something goes wrong; rejects then. */
  async #pull(connection: NatsConnection, over: AbortSignal): Promise<never> {
    const { promise: failed, reject } = Promise.withResolvers<never>();
    const inbox = createInbox();
    const requests: Requests = {
      asked: 0,
      heardMs: this.#deps.clock.monotonicMs(),
      ask: () => { this.#ask(requests, inbox); },
      fail: reject,
    };
    const subscription = connection.subscribe(inbox, {
      callback: (error, message) => {
        if (error !== null) reject(error);
        else this.#onMessage(requests, message, message.subject === inbox);
      },
    });
    const onOver = (): void => { reject(over.reason as Error); };
    over.addEventListener('abort', onOver, { once: true });
    this.#requests = requests;
    requests.ask();
    try {
      return await failed;
    } finally {
      this.#requests = undefined;
      over.removeEventListener('abort', onOver);
      subscription.unsubscribe();
    }
  }

  #ask(requests: Requests, inbox: string): void {
    const { link, names, listener } = this.#deps;
    const batch = listener.wanted() - requests.asked;
    if (batch <= 0) return;
    if (requests.asked === 0) requests.heardMs = this.#deps.clock.monotonicMs();
    const request = JSON.stringify({ batch, expires: nanos(requestMs), idle_heartbeat: nanos(idleHeartbeatMs) });
    const isSent = link.publish(`$JS.API.CONSUMER.MSG.NEXT.${names.stream}.${names.consumer}`, request, { reply: inbox });
    if (isSent) requests.asked += batch;
  }

  #onMessage(requests: Requests, message: Msg, isStatus: boolean): void {
    requests.heardMs = this.#deps.clock.monotonicMs();
    if (!isStatus) {
      requests.asked = Math.max(requests.asked - 1, 0);
      this.#deps.listener.onJob(message);
    } else {
      const { code = 0, description = '' } = message.headers ?? {};
      if (code === statusIdle) return;
      if (code !== statusTimeout) return requests.fail(new Error(`JetStream sends requests back: ${code} ${description}`));
      const left = Number(message.headers?.get('Nats-Pending-Messages'));
      requests.asked = Number.isSafeInteger(left) && left > 0 ? Math.max(requests.asked - left, 0) : 0;
    }
    requests.ask();
  }
}
