import type { Msg } from 'nats';
import type { Clock } from '../../domain/clock.ts';
import type { Job, JobQueue } from '../job-queue.ts';
import { WaitingJobs } from '../memory/waiting-jobs.ts';
import { Takers } from '../takers.ts';
import { jobDelivery, type Delivery } from './ensure-job-stream.ts';
import { JobOffers } from './job-offers.ts';
import { JobSource } from './job-source.ts';
import { MalformedMessages } from './malformed-messages.ts';
import type { NatsLink } from './nats-link.ts';
import type { NatsNames } from './nats-names.ts';
import type { NatsLog } from './nats-settings.ts';
import { StuckJobs } from './stuck-jobs.ts';

/** Each job that is not done is kept so many times within the time after which it would be handed out again. */
const signsPerWait = 3;

/** What a queue over NATS works with. */
export interface NatsJobQueueDeps {
  readonly link: NatsLink;
  readonly names: NatsNames;
  readonly clock: Clock;
  readonly log: NatsLog;
  /** Jobs may have been lost: offer once more what is due. Also called when NATS is back. */
  readonly onLoss: () => void;
  readonly delivery?: Delivery;
}

/** A job from the stream that this process has in its hands. */
interface Held {
  readonly taskId: string;
  /** Where its acknowledgement goes; undefined where the stream that it was from is gone. */
  reply: string | undefined;
  /** Another job for the task came meanwhile: it is looked at once this one is done. */
  again: boolean;
}

/**
 * Jobs that all nodes share, in a JetStream work queue. A job stays in the stream until it is done, kept alive by its holder; one whose
 * holder died is handed out again. What JetStream does not take at the moment waits in this process and goes to the stream when that
 * takes jobs again; until then, where it takes none at all, the workers of this process take it from here. So tasks are worked on without
 * NATS too, and the log decides races.
 */
export class NatsJobQueue implements JobQueue {
  readonly #deps: NatsJobQueueDeps;
  readonly #takers = new Takers<Job>();
  /** Jobs that are not in the stream. */
  readonly #local: WaitingJobs;
  readonly #held = new Map<string, Held>();
  readonly #offers: JobOffers;
  readonly #source: JobSource;
  readonly #malformed: MalformedMessages;
  readonly #stuck: StuckJobs;
  /** `opening`: it is not known yet whether JetStream takes jobs. */
  #stream: 'opening' | 'open' | 'closed' = 'opening';
  #streamCreated: string | undefined;
  #cancelTick: (() => void) | undefined;

  constructor(deps: NatsJobQueueDeps) {
    const { link, names, clock, log, onLoss, delivery = jobDelivery } = deps;
    this.#deps = deps;
    this.#local = new WaitingJobs(onLoss);
    this.#malformed = new MalformedMessages(clock, log);
    this.#stuck = new StuckJobs({ link, names, clock, log, onFreed: (taskId) => { this.offer(taskId); } });
    this.#offers = new JobOffers(link, names, clock, {
      onRefused: (taskId) => { this.#keep(taskId); },
      onRoom: () => { this.#handOver(); },
      onDoubled: (taskId) => { if (!this.#held.has(taskId)) this.#stuck.suspect(taskId); },
      onNoStream: () => { this.#source.check(); },
    });
    this.#source = new JobSource({
      link, names, clock, log, delivery,
      listener: {
        wanted: () => this.#takers.count,
        onJob: (message) => { this.#onJob(message); },
        onOpen: (created) => { this.#onOpen(created); },
        onClosed: () => {
          this.#stream = 'closed';
          this.#serveLocal();
        },
      },
    });
    this.#scheduleTick();
  }

  offer(taskId: string, occasion?: string): void {
    const held = this.#held.get(taskId);
    if (held !== undefined) held.again = true;
    else if (!this.#send(taskId, occasion)) this.#keep(taskId);
  }

  async take(signal: AbortSignal): Promise<Job> {
    signal.throwIfAborted();
    const taken = this.#takers.wait(signal);
    this.#serveLocal();
    this.#source.wake();
    return taken;
  }

  /** Asks for no more jobs. Those that were taken can still be done while the link is open. */
  close(): void {
    this.#source.close();
    this.#stuck.close();
    this.#cancelTick?.();
  }

  #send(taskId: string, occasion?: string): boolean {
    return this.#stream === 'open' && this.#offers.send(taskId, occasion);
  }

  /** A job that the stream does not take. */
  #keep(taskId: string): void {
    this.#local.add(taskId);
    this.#serveLocal();
  }

  /** While the stream takes no jobs, what waits here is for the workers of this process. */
  #serveLocal(): void {
    while (this.#takers.count > 0 && (this.#stream === 'closed' || !this.#offers.isTaking)) {
      const taskId = this.#local.take();
      if (taskId === undefined) return;
      this.#takers.give(localJob(taskId));
    }
  }

  /** Brings to the stream what waits here. */
  #handOver(): void {
    while (this.#stream === 'open' && this.#offers.canSend) {
      const taskId = this.#local.take();
      if (taskId === undefined) return;
      if (this.#send(taskId)) continue;
      this.#keep(taskId);
      return;
    }
  }

  #onOpen(created: string): void {
    this.#stream = 'open';
    if (this.#streamCreated !== undefined && this.#streamCreated !== created) this.#forgetStream();
    this.#streamCreated = created;
    this.#handOver();
    this.#deps.onLoss();
  }

  /** The numbers of another stream mean other jobs: those that were held are acknowledged to nobody. */
  #forgetStream(): void {
    for (const held of this.#held.values()) held.reply = undefined;
  }

  #onJob({ subject, reply = '' }: Msg): void {
    const { names, log, delivery = jobDelivery } = this.#deps;
    const taskId = names.taskOf(subject);
    if (taskId === undefined) {
      this.#malformed.add(names.jobs);
      this.#answer(reply, '+TERM');
      return;
    }
    const deliveries = deliveriesOf(reply);
    if (deliveries >= delivery.maxDeliver) {
      log.warn({ task_id: taskId, deliveries }, 'a job whose workers died again and again is handed out for the last time');
    }
    const known = this.#held.get(taskId);
    if (known !== undefined) {
      // Handed out again although its holder lives, or another one after the stream was made anew.
      known.reply = reply;
      known.again = true;
      return;
    }
    const held: Held = { taskId, reply, again: false };
    // Who asked for it may have got another one meanwhile: then it is for another node.
    if (this.#takers.give({ taskId, done: () => { this.#done(held); } })) this.#held.set(taskId, held);
    else this.#answer(reply, '-NAK');
  }

  #done(held: Held): void {
    if (this.#held.get(held.taskId) !== held) return;
    this.#held.delete(held.taskId);
    this.#answer(held.reply, '+ACK');
    // Not to the stream at once: it refuses a second job of a task until it has worked the acknowledgement in.
    if (held.again && !this.#takers.give(localJob(held.taskId))) this.#local.add(held.taskId);
  }

  #answer(reply: string | undefined, answer: string): void {
    if (reply !== undefined) this.#deps.link.publish(reply, answer);
  }

  #scheduleTick(): void {
    const { clock, delivery = jobDelivery } = this.#deps;
    this.#cancelTick = clock.schedule(delivery.ackWaitMs / signsPerWait, () => {
      this.#scheduleTick();
      for (const { reply } of this.#held.values()) this.#answer(reply, '+WPI');
      this.#offers.giveUpOld();
      this.#source.tick();
      this.#serveLocal();
      this.#handOver();
    });
  }
}

/**
 * How often a job was handed out, this time included, as the subject of its acknowledgement says (NATS ADR-15):
 * `$JS.ACK.<stream>.<consumer>.<deliveries>. …`, from some servers with domain and account before the stream.
 */
function deliveriesOf(reply: string): number {
  const parts = reply.split('.');
  return Number(parts[parts.length > 9 ? 6 : 4]);
}

function localJob(taskId: string): Job {
  return { taskId, done: () => undefined };
}
