import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { connectKafka, type KafkaPurpose } from '../../../src/log/kafka/connect-kafka.ts';
import { ensureTopic } from '../../../src/log/kafka/ensure-topic.ts';
import { KafkaEventLog } from '../../../src/log/kafka/kafka-event-log.ts';
import type { KafkaSettings } from '../../../src/log/kafka/kafka-settings.ts';
import { TopicOffsets } from '../../../src/log/kafka/topic-offsets.ts';
import { TopicSender, type Sender } from '../../../src/log/kafka/topic-sender.ts';
import { openReplica, type Replica } from '../../../src/projector/replica.ts';

/** What a log says to the operator, as one line each. */
export class SpokenLines {
  readonly lines: string[] = [];
  readonly debug = (): void => undefined;
  readonly info = (_fields: unknown, message: string): void => { this.lines.push(message); };
  readonly warn = (_fields: unknown, message: string): void => { this.lines.push(message); };
  readonly error = (_fields: unknown, message: string): void => { this.lines.push(message); };
}

/** A log in Kafka that a test has opened. */
export interface OpenedKafkaLog {
  readonly log: KafkaEventLog;
  readonly replica: Replica;
  readonly folder: string;
  readonly lines: readonly string[];
  /** Resolves with why the log has ended. */
  readonly ended: Promise<Error>;
  /** Closes the log and its replica; the folder stays until the test ends. */
  close(): Promise<void>;
}

/** How to open a log otherwise than the service does. */
export interface OpenKafkaOptions {
  /** The folder of the replica; without it a new one. */
  readonly folder?: string;
  /** Wraps the sender. */
  readonly meddle?: (sender: Sender) => Sender;
  readonly skip?: readonly string[];
  /** Leaves the log as it is before it has caught up. */
  readonly early?: boolean;
}

/** A folder that goes with the test. */
export function temporaryFolder(t: ExecutionContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-kafka-'));
  t.teardown(() => { rmSync(folder, { recursive: true, force: true }); });
  return folder;
}

/** Opens the topic as a node does: makes or checks it, opens the replica in a folder of its own, and catches up. */
export async function openKafkaLog(t: ExecutionContext, settings: KafkaSettings, options: OpenKafkaOptions = {}): Promise<OpenedKafkaLog> {
  const { folder = temporaryFolder(t), meddle = (sender) => sender, skip = [], early = false } = options;
  const spoken = new SpokenLines();
  await ensureTopic(settings, 'test', spoken);
  const ended = Promise.withResolvers<Error>();
  const replica = await openReplica(folder, { stageTimeoutMs: 60_000 }, (cause) => { ended.resolve(cause); });
  const connect = (purpose: KafkaPurpose) => () => connectKafka(settings, 'test', spoken, purpose);
  const { topic, partitions } = settings;
  const log = new KafkaEventLog({
    connect: connect('read'), topic, partitions, judge: replica, skip: new Set(skip), log: spoken, offsets: new TopicOffsets(connect('ask'), topic),
    sender: meddle(new TopicSender(connect('send'), topic, spoken)), onEnd: (cause) => { ended.resolve(cause); },
  });
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => (closed ??= log.close().then(() => replica.close()));
  t.teardown(close);
  if (!early) {
    await log.catchUp(AbortSignal.timeout(60_000), () => undefined);
    await replica.caughtUp();
  }
  return { log, replica, folder, lines: spoken.lines, ended: ended.promise, close };
}
