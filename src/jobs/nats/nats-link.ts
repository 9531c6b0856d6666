import { DebugEvents, Events, type NatsConnection, type PublishOptions } from 'nats';
import type { Clock } from '../../domain/clock.ts';
import { connectNats, NatsUnavailableError } from './connect-nats.ts';
import type { NatsLog, NatsSettings } from './nats-settings.ts';
import { Outflow } from './outflow.ts';
import { pause } from './pause.ts';

/** The first connection must come about within this time. */
export const firstConnectLimitMs = 10_000;

/** Between two attempts to connect. */
const redialWaitMs = 500;

/** What is on its way when the link is closed gets so long to arrive. */
const drainLimitMs = 2_000;

/** Refusals, such as for want of permissions, that are told of one connection: the first say it all. */
const refusalsToldLimit = 5;

/** Called with each connection and a signal that aborts when it is lost; must not throw. */
export type ConnectionUser = (connection: NatsConnection, lost: AbortSignal) => void;

interface Line {
  readonly connection: NatsConnection;
  readonly outflow: Outflow;
  readonly lost: AbortController;
}

/**
 * The link of this process to NATS: one connection after the other, for as long as it takes. Whoever stands on it (a subscription,
 * a stream of jobs) is called anew with each. While there is none, nothing is sent and nothing piles up.
 */
export class NatsLink {
  readonly #settings: NatsSettings;
  readonly #clock: Clock;
  readonly #log: NatsLog;
  readonly #users = new Set<ConnectionUser>();
  readonly #closing = new AbortController();
  #line: Line | undefined;
  #kept: Promise<void> = Promise.resolve();

  private constructor(settings: NatsSettings, clock: Clock, log: NatsLog) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
  }

  /** Rejects with `NatsUnavailableError` where the settings are wrong, or no server answers within `firstConnectLimitMs`. */
  static async open(settings: NatsSettings, clock: Clock, log: NatsLog): Promise<NatsLink> {
    const link = new NatsLink(settings, clock, log);
    const first = await link.#connectFirst();
    link.#kept = link.#keep(first);
    return link;
  }

  /** Whether there is a connection now. */
  get isUp(): boolean {
    return this.#line !== undefined;
  }

  /** The connection there is; rejects where there is none. */
  get connection(): NatsConnection {
    if (this.#line === undefined) throw new NatsUnavailableError('nats-servers: there is no connection at this moment.', false);
    return this.#line.connection;
  }

  /** Calls `use` with the connection there is, and with each later one; the function that it returns ends that. */
  attach(use: ConnectionUser): () => void {
    this.#users.add(use);
    if (this.#line !== undefined) introduce(use, this.#line);
    return () => this.#users.delete(use);
  }

  /** Sends a message without waiting. False: it was not sent, since NATS is away or behind. */
  publish(subject: string, payload: string, options?: PublishOptions): boolean {
    return this.#line?.outflow.publish(subject, payload, options) ?? false;
  }

  /** Lets what was sent arrive, for a bounded time, and closes the connection. */
  async close(): Promise<void> {
    this.#closing.abort();
    const line = this.#line;
    if (line !== undefined) {
      const drained = new AbortController();
      line.connection.drain().then(() => { drained.abort(); }, () => { drained.abort(); });
      await pause(this.#clock, drainLimitMs, drained.signal);
      const closed = new AbortController();
      void line.connection.close().then(() => this.#kept).finally(() => { closed.abort(); });
      // The client waits for what it sent last to go out, and a server that hangs takes nothing.
      await pause(this.#clock, drainLimitMs, closed.signal);
    } else {
      await this.#kept;
    }
  }

  async #connectFirst(): Promise<NatsConnection> {
    const startMs = this.#clock.monotonicMs();
    for (;;) {
      try {
        return await connectNats(this.#settings);
      } catch (cause) {
        const isLate = this.#clock.monotonicMs() - startMs + redialWaitMs > firstConnectLimitMs;
        if (!(cause instanceof NatsUnavailableError) || cause.isFinal) throw cause;
        if (isLate) throw new NatsUnavailableError(`${cause.message} Start NATS, or correct nats-servers.`, false, { cause });
      }
      await pause(this.#clock, redialWaitMs, this.#closing.signal);
    }
  }

  async #keep(first: NatsConnection): Promise<void> {
    let next: NatsConnection | undefined = first;
    while (next !== undefined) {
      await this.#live(next);
      if (this.#isClosing()) return;
      this.#log.warn({}, 'NATS is away: this node works on the tasks that it finds by itself, and judges no other node');
      next = await this.#redial();
      if (next !== undefined) this.#log.info({}, 'NATS is back');
    }
  }

  /** Uses a connection until it is closed. */
  async #live(connection: NatsConnection): Promise<void> {
    const line = { connection, outflow: new Outflow(connection), lost: new AbortController() };
    this.#line = line;
    void this.#watch(connection);
    for (const use of this.#users) introduce(use, line);
    await connection.closed();
    this.#line = undefined;
    line.lost.abort(new NatsUnavailableError('nats-servers: the connection was lost.', false));
  }

  async #watch(connection: NatsConnection): Promise<void> {
    let told = 0;
    for await (const { type, data, permissionContext } of connection.status()) {
      // Pings stay unanswered. The client itself would wait for what it sent last to go out, which may be for ever.
      if (type === DebugEvents.StaleConnection) await connection.close();
      if (type !== Events.Error || told === refusalsToldLimit) continue;
      told += 1;
      this.#log.warn({ problem: data, ...permissionContext }, 'NATS refuses what this node asks of it: give its user more permissions');
    }
  }

  #isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Undefined: the link was closed in the meantime. */
  async #redial(): Promise<NatsConnection | undefined> {
    for (let told: string | undefined; ;) {
      await pause(this.#clock, redialWaitMs, this.#closing.signal);
      if (this.#isClosing()) return undefined;
      try {
        const connection = await connectNats(this.#settings);
        if (!this.#isClosing()) return connection;
        await connection.close();
        return undefined;
      } catch (cause) {
        const problem = cause instanceof Error ? cause.message : String(cause);
        if (problem !== told) this.#log.warn({ problem }, 'no connection to NATS; trying on');
        told = problem;
      }
    }
  }
}

function introduce(use: ConnectionUser, { connection, lost }: Line): void {
  try {
    use(connection, lost.signal);
  } catch (cause) {
    // Nothing can be done with a connection that was closed in this very moment; the next one comes.
    if (!connection.isClosed()) throw cause;
  }
}
