import type { Msg, Subscription } from 'nats';
import type { Clock } from '../../domain/clock.ts';
import type { Heartbeat, Heartbeats } from '../heartbeats.ts';
import { formatIncarnation, parseIncarnation } from '../incarnation.ts';
import { MalformedMessages } from './malformed-messages.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsNames } from './nats-names.ts';
import type { NatsLog } from './nats-settings.ts';

/** A heartbeat is shorter than this. */
const heartbeatLimitBytes = 256;

/** Heartbeats over NATS. Who beats hears itself by way of the server. */
export class NatsHeartbeats implements Heartbeats {
  readonly #link: NatsLink;
  readonly #names: NatsNames;
  readonly #malformed: MalformedMessages;

  constructor(link: NatsLink, names: NatsNames, clock: Clock, log: NatsLog) {
    this.#link = link;
    this.#names = names;
    this.#malformed = new MalformedMessages(clock, log);
  }

  beat({ incarnation, leaving }: Heartbeat): void {
    this.#link.publish(this.#names.heartbeats, JSON.stringify({ incarnation, leaving }));
  }

  listen(listener: (heartbeat: Heartbeat) => void): () => void {
    let subscription: Subscription | undefined;
    const detach = this.#link.attach((connection) => {
      subscription = connection.subscribe(this.#names.heartbeats, {
        callback: (error, message) => {
          if (error !== null) return;
          const heartbeat = parseHeartbeat(message);
          if (heartbeat === undefined) this.#malformed.add(this.#names.heartbeats);
          else listener(heartbeat);
        },
      });
    });
    return () => {
      detach();
      subscription?.unsubscribe();
    };
  }
}

function parseHeartbeat(message: Msg): Heartbeat | undefined {
  if (message.data.length > heartbeatLimitBytes) return undefined;
  let value: unknown;
  try {
    value = message.json();
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || !('incarnation' in value) || !('leaving' in value)) return undefined;
  const { incarnation, leaving } = value;
  const life = typeof incarnation === 'string' ? parseIncarnation(incarnation) : undefined;
  return life === undefined || typeof leaving !== 'boolean' ? undefined : { ...life, incarnation: formatIncarnation(life), leaving };
}
