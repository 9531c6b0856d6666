import {
  AckPolicy, DeliverPolicy, DiscardPolicy, nanos, NatsError, ReplayPolicy, RetentionPolicy, StorageType,
  type ConsumerConfig, type JetStreamManager, type NatsConnection, type StreamConfig,
} from 'nats';
import { NatsUnavailableError } from './connect-nats.ts';
import type { NatsNames } from './nats-names.ts';

/** Jobs in the stream at most; what has no room waits in the processes that offered it. */
const jobLimit = 100_000;

/** A job that nobody took for so long is dropped; its task, if it is still due, is found by the sweep. */
const jobAgeMs = 24 * 3_600_000;

/** Offers for the same occasion within this time make one job: so far the nodes may lag behind each other. */
const duplicateWindowMs = 120_000;

/** How jobs are handed out. */
export interface Delivery {
  /** A job of which nothing was heard for so long is handed out again. */
  readonly ackWaitMs: number;
  /** A job is handed out so often at most: one that kills its workers then rests until sweeps have found its task due (`StuckJobs`). */
  readonly maxDeliver: number;
}

/**
 * A worker that dies is judged dead by its silence after about 8 s; by then whoever got its jobs has looked at them in vain and they are
 * done, so that they can be offered again.
 */
export const jobDelivery: Delivery = { ackWaitMs: 6_000, maxDeliver: 20 };

/** A request to JetStream is given up after so long. */
const requestTimeoutMs = 3_000;

/** The stream or the consumer is not what this service needs; the message names the difference and the remedy. */
export class WrongJobStreamError extends Error {
  override readonly name = 'WrongJobStreamError';
}

/**
 * Makes sure of the stream of jobs and its consumer, and returns when the stream was made: another time means another stream. Each
 * task has at most one job in it: while one waits or is being worked on, another is refused, so that sweeps do not fill the
 * stream. There is no `backoff`: servers before 2.10.23 let one long wait hold up all shorter ones (nats-server issue 6085).
 * Rejects with `WrongJobStreamError`, or with `NatsUnavailableError` where JetStream does not answer.
 */
export async function ensureJobStream(connection: NatsConnection, names: NatsNames, delivery: Delivery = jobDelivery): Promise<string> {
  try {
    const manager = await connection.jetstreamManager({ timeout: requestTimeoutMs, checkAPI: false });
    const created = await ensureStream(manager, names);
    await ensureConsumer(manager, names, delivery);
    return created;
  } catch (cause) {
    if (cause instanceof WrongJobStreamError) throw cause;
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw new NatsUnavailableError(`nats-servers: JetStream does not answer for the stream ${names.stream}: ${problem}.`, false, { cause });
  }
}

async function ensureStream(manager: JetStreamManager, names: NatsNames): Promise<string> {
  const wanted: Partial<StreamConfig> = {
    subjects: [names.jobs],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    max_msgs: jobLimit,
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
    max_age: nanos(jobAgeMs),
    duplicate_window: nanos(duplicateWindowMs),
  };
  let found = await unlessMissing(manager.streams.info(names.stream));
  if (found === undefined) {
    try {
      found = await manager.streams.add({ name: names.stream, ...wanted });
    } catch (cause) {
      // Another node may have been faster.
      found = await unlessMissing(manager.streams.info(names.stream));
      if (found === undefined) throw isRefusal(cause) ? refusedStream(names, cause) : cause;
    }
  }
  const difference = differenceOf(found.config, wanted);
  if (difference === undefined) return found.created;
  throw new WrongJobStreamError(`kafka-topic: the NATS stream ${names.stream} is not the one of this service: ${difference}. `
    + `Remove it (nats stream rm ${names.stream}): jobs are hints and come again. If it is somebody else's, give the topic another name.`);
}

async function ensureConsumer(manager: JetStreamManager, names: NatsNames, { ackWaitMs, maxDeliver }: Delivery): Promise<void> {
  const wanted: Partial<ConsumerConfig> = {
    ack_policy: AckPolicy.Explicit,
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    ack_wait: nanos(ackWaitMs),
    max_deliver: maxDeliver,
    // Every job that is being worked on is unacknowledged, on all nodes together.
    max_ack_pending: jobLimit,
  };
  const found = await unlessMissing(manager.consumers.info(names.stream, names.consumer))
    ?? await manager.consumers.add(names.stream, { durable_name: names.consumer, ...wanted });
  const difference = differenceOf(found.config, { ...wanted, backoff: undefined, filter_subject: undefined, deliver_subject: undefined });
  if (difference === undefined) return;
  throw new WrongJobStreamError(`kafka-topic: the consumer ${names.consumer} of the NATS stream ${names.stream} is not the one of this service: ${difference}. `
    + `Remove it (nats consumer rm ${names.stream} ${names.consumer}).`);
}

/** What differs from what is wanted, such as `retention is "limits", not "workqueue"`; undefined: nothing. */
function differenceOf(found: object, wanted: object): string | undefined {
  const values = new Map<string, unknown>(Object.entries(found));
  for (const [field, value] of Object.entries(wanted)) {
    const [is, must] = [describe(values.get(field)), describe(value)];
    if (is !== must) return `${field} is ${is}, not ${must}`;
  }
  return undefined;
}

function describe(value: unknown): string {
  return value === undefined ? 'unset' : JSON.stringify(value);
}

/** What JetStream answers; undefined: there is no such thing. */
export async function unlessMissing<Info>(info: Promise<Info>): Promise<Info | undefined> {
  try {
    return await info;
  } catch (cause) {
    if (cause instanceof NatsError && cause.api_error?.code === 404) return undefined;
    throw cause;
  }
}

/** JetStream has understood and declined. */
function isRefusal(cause: unknown): cause is NatsError {
  return cause instanceof NatsError && cause.api_error !== undefined;
}

function refusedStream({ stream, jobs }: NatsNames, { message }: NatsError): WrongJobStreamError {
  return new WrongJobStreamError(`kafka-topic: NATS refuses to make the stream ${stream} for ${jobs}: ${message}. `
    + 'Remove what is in its way (nats stream ls), or give the topic another name.');
}
