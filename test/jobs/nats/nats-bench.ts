import { randomUUID } from 'node:crypto';
import { connect, type JetStreamManager, type NatsConnection } from 'nats';
import type { Clock } from '../../../src/domain/clock.ts';
import type { Delivery } from '../../../src/jobs/nats/ensure-job-stream.ts';
import { NatsJobQueue } from '../../../src/jobs/nats/nats-job-queue.ts';
import { NatsLink } from '../../../src/jobs/nats/nats-link.ts';
import { natsNames, type NatsNames } from '../../../src/jobs/nats/nats-names.ts';
import type { NatsLog, NatsSettings } from '../../../src/jobs/nats/nats-settings.ts';
import { systemClock } from '../../../src/jobs/system-clock.ts';
import { uniqueTopic } from '../../servers/unique-topic.ts';

/** What the tests of this folder need of a test. */
export interface TestScope {
  teardown(undo: () => unknown): void;
}

/** What was said to the operator. */
export interface Said {
  readonly level: 'info' | 'warn';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** A log that remembers what it was told. */
export function rememberingLog(): NatsLog & { readonly said: Said[] } {
  const said: Said[] = [];
  const say = (level: Said['level']) => (fields: Said['fields'], message: string): void => { said.push({ level, fields, message }); };
  return { said, info: say('info'), warn: say('warn') };
}

/** The machine's clock, on which waits pass `times` as fast. */
export function fasterClock(times: number): Clock {
  return {
    now: systemClock.now,
    monotonicMs: () => systemClock.monotonicMs() * times,
    schedule: (delayMs, ring) => systemClock.schedule(delayMs / times, ring),
  };
}

interface NodeOptions {
  readonly clock?: Clock;
  readonly delivery?: Delivery;
  readonly login?: NonNullable<NatsSettings['login']>;
}

/** One of several processes that share a queue; all of them live in the test's. */
export interface QueueNode {
  readonly link: NatsLink;
  readonly queue: NatsJobQueue;
  readonly log: ReturnType<typeof rememberingLog>;
  /** How often the sweep was called for. */
  readonly losses: number;
  /** Resolves with the next call for a sweep. */
  readonly nextLoss: Promise<void>;
  /** The next job's task, which is done at once. */
  takeDone(): Promise<string>;
  /** Ends as a process that was killed: nothing more is said of its jobs. */
  die(): Promise<void>;
}

/** A queue under test on one server, under names of its own, seen from all sides. */
export class NatsBench {
  readonly names: NatsNames = natsNames(uniqueTopic());
  readonly url: string;
  readonly #scope: TestScope;

  constructor(scope: TestScope, url: string) {
    this.#scope = scope;
    this.url = url;
  }

  /** Another node, with a link of its own, that is ready for jobs. */
  async node({ clock = systemClock, delivery, login }: NodeOptions = {}): Promise<QueueNode> {
    const { names } = this;
    const log = rememberingLog();
    const link = await NatsLink.open({ servers: [this.url], ...(login === undefined ? {} : { login }) }, clock, log);
    let losses = 0;
    let lost = Promise.withResolvers<void>();
    const onLoss = (): void => {
      losses += 1;
      lost.resolve();
      lost = Promise.withResolvers();
    };
    const ready = lost.promise;
    const queue = new NatsJobQueue({ link, names, clock, log, onLoss, ...(delivery === undefined ? {} : { delivery }) });
    const stop = new AbortController();
    const die = async (): Promise<void> => {
      stop.abort(new Error('the test is over'));
      queue.close();
      await link.close();
    };
    this.#scope.teardown(die);
    await ready;
    return {
      link, queue, log, die,
      get losses() { return losses; },
      get nextLoss() { return lost.promise; },
      async takeDone() {
        const job = await queue.take(stop.signal);
        job.done();
        return job.taskId;
      },
    };
  }

  /** A connection of the test's own. */
  async client(): Promise<NatsConnection> {
    const client = await connect({ servers: this.url, reconnect: false });
    this.#scope.teardown(() => client.close());
    return client;
  }

  async manager(): Promise<JetStreamManager> {
    return (await this.client()).jetstreamManager();
  }
}

/** Resolves when a node has noticed that NATS is away. */
export function noticed({ link }: QueueNode): Promise<void> {
  if (!link.isUp) return Promise.resolve();
  return new Promise((resolve) => {
    const detach = link.attach((_, lost) => {
      lost.addEventListener('abort', () => {
        detach();
        resolve();
      }, { once: true });
    });
  });
}

/** The id of a task that no other test uses. */
export const newTask = (): string => randomUUID();

/** Never aborts. */
export const always = new AbortController().signal;
