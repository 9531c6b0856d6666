import { createInbox, headers, type Msg, type MsgHdrs } from 'nats';
import type { Clock } from '../../domain/clock.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsNames } from './nats-names.ts';

/** Offers that JetStream has not answered; with so many, others wait in this process. */
const unansweredLimit = 4_096;

/** An offer that was not answered for so long is taken for lost. */
const answerLimitMs = 10_000;

/** After JetStream has refused a job for want of room, or because there is no stream, or not answered, it is left alone for so long. */
const refusedPauseMs = 2_000;

interface Unanswered {
  readonly taskId: string;
  readonly occasion: string | undefined;
  readonly sentMs: number;
}

/** What becomes of offers. */
export interface OfferListener {
  /** An offer did not get into the stream: the job is to be kept here. */
  readonly onRefused: (taskId: string) => void;
  /** Others may be sent. */
  readonly onRoom: () => void;
  /** A job for a task that is due, offered for no occasion, was refused: one lies in the stream. */
  readonly onDoubled: (taskId: string) => void;
  /** There is no stream for jobs. */
  readonly onNoStream: () => void;
}

/**
 * Puts jobs into the stream without waiting for each: JetStream's answers come to an inbox, and who offers hears only of those that
 * did not get in. What was not answered when the connection is lost counts as refused; a job that got in all the same is doubled.
 */
export class JobOffers {
  readonly #link: NatsLink;
  readonly #names: NatsNames;
  readonly #clock: Clock;
  readonly #listener: OfferListener;
  /** By the last part of the reply subject, the oldest first. */
  readonly #unanswered = new Map<string, Unanswered>();
  #inbox: string | undefined;
  #sent = 0;
  #refusedUntilMs = -Infinity;

  constructor(link: NatsLink, names: NatsNames, clock: Clock, listener: OfferListener) {
    this.#link = link;
    this.#names = names;
    this.#clock = clock;
    this.#listener = listener;
    link.attach((connection, lost) => {
      const inbox = createInbox();
      connection.subscribe(`${inbox}.*`, {
        callback: (error, message) => { if (error === null) this.#onAnswer(message); },
      });
      this.#inbox = inbox;
      this.#refusedUntilMs = -Infinity;
      lost.addEventListener('abort', () => {
        this.#inbox = undefined;
        this.#giveUp(Infinity);
      }, { once: true });
    });
  }

  /** Whether JetStream takes offers, if perhaps not at this very moment. */
  get isTaking(): boolean {
    return this.#inbox !== undefined && this.#clock.monotonicMs() >= this.#refusedUntilMs;
  }

  /** Whether offers may be sent at this moment. */
  get canSend(): boolean {
    return this.isTaking && this.#unanswered.size < unansweredLimit;
  }

  /** Sends an offer; those for one `occasion` make one job. False: not now. */
  send(taskId: string, occasion?: string): boolean {
    if (this.#inbox === undefined || !this.canSend) return false;
    const key = String(this.#sent);
    const reply = `${this.#inbox}.${key}`;
    const options = occasion === undefined ? { reply } : { reply, headers: withMessageId(`${taskId}.${occasion}`) };
    if (!this.#link.publish(this.#names.jobOf(taskId), '', options)) return false;
    this.#sent += 1;
    this.#unanswered.set(key, { taskId, occasion, sentMs: this.#clock.monotonicMs() });
    return true;
  }

  /** Takes offers for lost that have waited for their answer too long. To be called every few seconds. */
  giveUpOld(): void {
    this.#giveUp(this.#clock.monotonicMs() - answerLimitMs);
  }

  #onAnswer(message: Msg): void {
    const key = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    const offer = this.#unanswered.get(key);
    if (offer === undefined) return;
    this.#unanswered.delete(key);
    const hasNoStream = message.headers?.code === 503;
    if (hasNoStream || isRefusal(message)) {
      this.#refused(offer.taskId);
      if (hasNoStream) this.#listener.onNoStream();
      return;
    }
    if (offer.occasion === undefined && isDoubled(message)) this.#listener.onDoubled(offer.taskId);
    if (this.#unanswered.size <= unansweredLimit / 2) this.#listener.onRoom();
  }

  /** Offers that were sent until then count as refused. */
  #giveUp(untilMs: number): void {
    for (const [key, { taskId, sentMs }] of this.#unanswered) {
      if (sentMs > untilMs) return;
      this.#unanswered.delete(key);
      this.#refused(taskId);
    }
  }

  #refused(taskId: string): void {
    this.#refusedUntilMs = this.#clock.monotonicMs() + refusedPauseMs;
    this.#listener.onRefused(taskId);
  }
}

/** Of messages with the same id within its duplicate window, JetStream takes one. */
function withMessageId(id: string): MsgHdrs {
  const fields = headers();
  fields.set('Nats-Msg-Id', id);
  return fields;
}

/** Whether the job did not get in. That its task has one in the stream already is what was wanted. */
function isRefusal(message: Msg): boolean {
  return message.string().includes('"error"') && !isDoubled(message);
}

function isDoubled(message: Msg): boolean {
  return message.string().includes('maximum messages per subject exceeded');
}
