import type { Kafka, KafkaMessage } from 'kafkajs';
import { AuditQueue } from './audit-queue.ts';
import { askRanges } from './audit-ranges.ts';
import { AuditReader, type AuditReaderDeps } from './audit-reader.ts';
import type { RawRecord } from './audit-record.ts';
import { connectKafka, type KafkaLog } from '../connect-kafka.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import { partitionOf } from '../partition-of.ts';
import { readMessage } from '../read-message.ts';
import type { TopicRanges } from '../topic-offsets.ts';

/** How far a pass over the topic is. */
export interface TopicProgress {
  /** Messages that were read. */
  readonly messages: bigint;
  /** Messages that are to be read. */
  readonly total: bigint;
}

/** Which topic to read, and what of it. */
export interface StoredTopicDeps {
  readonly settings: KafkaSettings;
  /** The name that the brokers see. */
  readonly clientId: string;
  readonly log: KafkaLog;
  /** Positions, `partition-offset`, that every node passes over. */
  readonly skip?: ReadonlySet<string>;
  /** Only the records of this stream, from its own partition. Empty: everything. */
  readonly subject?: string;
  readonly onProgress?: (progress: TopicProgress) => void;
}

/**
 * What lies in the topic, from its beginning to the end that it has when the first batch is asked for: every message, of one
 * partition in a batch, in the order of each partition. `settings.partitions` says nothing here: the topic itself does. Reading
 * waits for who takes, so that memory is bounded. Throws `TopicUnreadableError`, or the reason of `signal`.
 */
export async function* storedTopic(deps: StoredTopicDeps, signal: AbortSignal): AsyncGenerator<readonly RawRecord[]> {
  const { settings, clientId, log, subject = '', skip = new Set(), onProgress } = deps;
  const client = connectKafka(settings, clientId, log, 'audit');
  try {
    const held = await askRanges(() => connectKafka(settings, clientId, log, 'ask'), settings, signal);
    const partitions = held.size;
    const asked = subject === '' ? undefined : partitionOf(subject, partitions);
    const cuts = asked === undefined ? [...held].filter(([, { low }]) => low > 0n) : [];
    if (cuts.length > 0) yield cuts.map(([partition, { low: offset }]) => ({ kind: 'cut', partition, offset }));
    const ranges: TopicRanges = new Map([...held].map(([partition, range]) => (
      [partition, asked === undefined || partition === asked ? range : { low: range.high, high: range.high }]
    )));
    const total = [...ranges.values()].reduce((sum, { low, high }) => sum + high - low, 0n);
    let messages = 0n;
    for await (const batch of readRanges(client.kafka, { settings, log, ranges }, signal)) {
      const all = batch.messages.map((message) => rawOf(message, batch.partition, partitions, skip));
      const records = asked === undefined ? all : all.filter((raw) => raw.kind === 'record' && raw.subject === subject);
      if (records.length > 0) yield records;
      messages += BigInt(batch.messages.length);
      onProgress?.({ messages, total });
    }
  } finally {
    client.close();
  }
}

interface Batch {
  readonly partition: number;
  readonly messages: readonly KafkaMessage[];
}

async function* readRanges(kafka: Kafka, deps: Pick<AuditReaderDeps, 'settings' | 'log' | 'ranges'>, signal: AbortSignal): AsyncGenerator<Batch> {
  const queue = new AuditQueue<Batch>();
  const leaving = new AbortController();
  const reader = new AuditReader({
    kafka, ...deps,
    take: (partition, messages) => (
      queue.put({ partition, messages }, messages.reduce((sum, { value }) => sum + messageBytes + (value?.length ?? 0), 0))
    ),
  });
  const run = reader.run(AbortSignal.any([signal, leaving.signal])).then(() => { queue.end(); }, (cause: unknown) => { queue.end(cause); });
  try {
    for (let batch = await queue.take(); batch !== undefined; batch = await queue.take()) {
      signal.throwIfAborted();
      yield batch;
    }
  } finally {
    queue.end();
    leaving.abort();
    await run;
  }
}

/** About so much memory a message takes beside its value: kafkajs makes an object of each header. */
const messageBytes = 3_000;

function rawOf(message: KafkaMessage, partition: number, partitions: number, skip: ReadonlySet<string>): RawRecord {
  const place = { partition, offset: BigInt(message.offset) };
  if (skip.has(`${partition}-${message.offset}`)) return { kind: 'skipped', ...place };
  const read = readMessage(message, partition, partitions);
  return read.kind === 'record' ? { kind: 'record', record: read.record, subject: read.subject } : { kind: 'unreadable', ...place, problem: read.problem };
}
