import type { Admin } from 'kafkajs';
import { LogUnavailableError } from '../../event-log.ts';
import { kafkaProblem, type KafkaClient } from '../connect-kafka.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { TopicOffsets, type TopicRanges } from '../topic-offsets.ts';

/** The topic cannot be read from its beginning to its end; the message says why and what to do. */
export class TopicUnreadableError extends LogUnavailableError {
  /** `unreachable`: later it may work. `missing`: there is no such topic. `refused`: the brokers do not let this user. */
  readonly kind: 'unreachable' | 'missing' | 'refused';

  constructor(kind: TopicUnreadableError['kind'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.kind = kind;
  }
}

/** They are given so long to say how far the topic goes. */
const askLimitMs = 20_000;

/**
 * What a topic holds now, partition by partition, as brokers say that others confirm to lead (see `TopicOffsets`). Rejects with
 * `TopicUnreadableError`, or with the reason of `signal`.
 */
export async function askRanges(connect: () => KafkaClient, settings: KafkaSettings, signal: AbortSignal): Promise<TopicRanges> {
  const { kafka, close } = connect();
  const admin = kafka.admin();
  const offsets = new TopicOffsets(connect, settings.topic);
  const over = Promise.withResolvers<never>();
  const onAbort = (): void => { over.reject(signal.reason as Error); };
  const timer = setTimeout(() => { over.reject(unreadable(settings, new Error(`no answer within ${askLimitMs / 1_000} s`))); }, askLimitMs);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([ask(admin, offsets, settings), over.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    void admin.disconnect().catch(() => undefined).then(close);
    offsets.close();
  }
}

async function ask(admin: Admin, offsets: TopicOffsets, settings: KafkaSettings): Promise<TopicRanges> {
  try {
    await admin.connect();
    const { topic } = settings;
    if (!(await admin.listTopics()).includes(topic)) {
      throw new TopicUnreadableError('missing', `There is no topic ${topic} at ${settings.brokers.join(', ')}, or this user may not see it. See that its name is right.`);
    }
    return await offsets.ask();
  } catch (cause) {
    throw cause instanceof TopicUnreadableError ? cause : unreadable(settings, cause);
  }
}

/** The error for what kafkajs threw. */
export function unreadable({ topic, brokers }: KafkaSettings, cause: unknown): TopicUnreadableError {
  const problem = kafkaProblem(cause);
  return isRefusal(cause)
    ? new TopicUnreadableError('refused', `Kafka refuses to show the topic ${topic}: ${problem}. The user must be one that the brokers know, and may read the topic `
      + `and the consumer groups whose names begin with it.`, { cause })
    : new TopicUnreadableError('unreachable', `The topic ${topic} cannot be read at ${brokers.join(', ')}: ${problem}. See that the brokers are up and can be reached `
      + 'from here, and whether they ask for TLS.', { cause });
}

/** Whether trying again is of no use. */
export function isRefusal(cause: unknown): boolean {
  for (let error = cause; error instanceof Error; error = error.cause) {
    const type = 'type' in error ? String(error.type) : '';
    if (error.name === 'KafkaJSSASLAuthenticationError' || type.endsWith('_AUTHORIZATION_FAILED') || type === 'SASL_AUTHENTICATION_FAILED') return true;
  }
  return false;
}
