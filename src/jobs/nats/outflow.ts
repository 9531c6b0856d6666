import type { NatsConnection, PublishOptions } from 'nats';

/** Bytes on their way to the server, of which it has not said that it has them; about 4,000 jobs. */
export const outflowLimitBytes = 1024 * 1024;

/** What a message costs beside its subject and payload: verb, reply subject, headers. */
const overheadBytes = 160;

/**
 * Sends over one connection, and never more than the server takes: the client itself would buffer without bound for a server
 * that hangs. Behind what was sent goes a ping; what stood before it has arrived once the pong is back.
 */
export class Outflow {
  readonly #connection: NatsConnection;
  #unansweredBytes = 0;
  #isPinging = false;

  constructor(connection: NatsConnection) {
    this.#connection = connection;
  }

  /** False: nothing was sent, since the server is behind or the connection is closed. */
  publish(subject: string, payload: string, options?: PublishOptions): boolean {
    if (this.#unansweredBytes >= outflowLimitBytes) return false;
    try {
      this.#connection.publish(subject, payload, options);
    } catch {
      return false;
    }
    this.#unansweredBytes += subject.length + payload.length + overheadBytes;
    if (!this.#isPinging) void this.#ping();
    return true;
  }

  async #ping(): Promise<void> {
    this.#isPinging = true;
    while (this.#unansweredBytes > 0) {
      const coveredBytes = this.#unansweredBytes;
      try {
        await this.#connection.flush();
      } catch {
        return;
      }
      this.#unansweredBytes -= coveredBytes;
    }
    this.#isPinging = false;
  }
}
