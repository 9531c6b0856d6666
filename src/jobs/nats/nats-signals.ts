import { randomUUID } from 'node:crypto';
import type { Msg } from 'nats';
import type { Clock } from '../../domain/clock.ts';
import { MemorySignals } from '../memory/memory-signals.ts';
import type { ProgressSignal, Signals } from '../signals.ts';
import { MalformedMessages } from './malformed-messages.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsNames } from './nats-names.ts';
import type { NatsLog } from './nats-settings.ts';

/** A signal is shorter than this. */
const signalLimitBytes = 1_024;

/**
 * Signals over NATS. Listeners of this process are told directly, also while NATS is away; what comes back of their own is
 * passed over. Others get what NATS takes at that moment.
 */
export class NatsSignals implements Signals {
  readonly #link: NatsLink;
  readonly #names: NatsNames;
  readonly #sender: string;
  readonly #local = new MemorySignals();
  readonly #malformed: MalformedMessages;

  /** `sender` tells the signals of this process from those of others. */
  constructor(link: NatsLink, names: NatsNames, clock: Clock, log: NatsLog, sender: string = randomUUID()) {
    this.#link = link;
    this.#names = names;
    this.#sender = sender;
    this.#malformed = new MalformedMessages(clock, log);
    link.attach((connection) => {
      connection.subscribe(names.progress, {
        callback: (error, message) => { if (error === null) this.#onMessage(message); },
      });
    });
  }

  publish(signal: ProgressSignal): void {
    this.#local.publish(signal);
    this.#link.publish(this.#names.progress, encodeSignal(this.#sender, signal));
  }

  listen(listener: (signal: ProgressSignal) => void): () => void {
    return this.#local.listen(listener);
  }

  #onMessage(message: Msg): void {
    const received = parseSignal(message);
    if (received === undefined) this.#malformed.add(this.#names.progress);
    else if (received.sender !== this.#sender) this.#local.publish(received.signal);
  }
}

function encodeSignal(sender: string, { taskId, progress }: ProgressSignal): string {
  if (progress === undefined) return JSON.stringify({ sender, taskId });
  const { stage, bytesDone, bytesTotal, bytesPerSecond } = progress;
  return JSON.stringify({ sender, taskId, stage, numbers: [bytesDone, bytesTotal, bytesPerSecond].map(String) });
}

function parseSignal(message: Msg): { readonly sender: string; readonly signal: ProgressSignal } | undefined {
  if (message.data.length > signalLimitBytes) return undefined;
  let value: unknown;
  try {
    value = message.json();
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { sender, taskId, stage, numbers } = value as Readonly<Record<string, unknown>>;
  if (typeof sender !== 'string' || typeof taskId !== 'string') return undefined;
  if (stage === undefined && numbers === undefined) return { sender, signal: { taskId, progress: undefined } };
  if (typeof stage !== 'string' || !Array.isArray(numbers) || numbers.length !== 3) return undefined;
  const [bytesDone, bytesTotal, bytesPerSecond] = numbers.map(parseCount);
  if (bytesDone === undefined || bytesTotal === undefined || bytesPerSecond === undefined) return undefined;
  return { sender, signal: { taskId, progress: { stage, bytesDone, bytesTotal, bytesPerSecond } } };
}

function parseCount(value: unknown): bigint | undefined {
  return typeof value === 'string' && /^\d{1,19}$/.test(value) ? BigInt(value) : undefined;
}
