import type { KafkaMessage } from 'kafkajs';
import { AuditQueue } from './audit-queue.ts';
import { askRanges } from './audit-ranges.ts';
import { AuditReader } from './audit-reader.ts';
import type { RawRecord } from './audit-record.ts';
import { connectKafka, type KafkaLog } from './connect-kafka.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { partitionOf } from './partition-of.ts';
import { readMessage } from './read-message.ts';
import type { TopicRanges } from './topic-offsets.ts';

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
 * What lies in the topic, from its beginning to the end that it has when the first batch is asked for: every message, of one partition in
 * a batch, in the order of each partition. `settings.partitions` says nothing here: the topic itself does. Reading waits for who
 * takes, so that memory is bounded. Throws `TopicUnreadableError`, or the reason of `signal`.
 */
export async function* storedTopic(deps: StoredTopicDeps, signal: AbortSignal): AsyncGenerator<readonly RawRecord[]> {
  const { settings, clientId, log, subject = '', skip = new Set(), onProgress } = deps;
  const kafka = connectKafka(settings, clientId, log);
  const held = await askRanges(kafka, settings, signal);
  const asked = subject === '' ? undefined : partitionOf(subject, held.size);
  const ranges: TopicRanges = new Map([...held].map(([partition, range]) => (
    [partition, asked === undefined || partition === asked ? range : { low: range.high, high: range.high }]
  )));
  const total = [...ranges.values()].reduce((sum, { low, high }) => sum + high - low, 0n);
  const cuts = asked === undefined ? [...held].filter(([, { low }]) => low > 0n) : [];
  if (cuts.length > 0) yield cuts.map(([partition, { low: offset }]) => ({ kind: 'cut', partition, offset }));

  const queue = new AuditQueue<Batch>();
  const leaving = new AbortController();
  const reader = new AuditReader({
    kafka, settings, log, ranges,
    take: (partition, messages) => {
      const records = messages.map((message) => rawOf(message, partition, held.size, skip)).filter((raw) => asked === undefined || isOf(raw, subject));
      return queue.put({ records, messages: messages.length }, messages.reduce((sum, { value }) => sum + messageBytes + (value?.length ?? 0), 0));
    },
  });
  const run = reader.run(AbortSignal.any([signal, leaving.signal])).then(() => { queue.end(); }, (cause: unknown) => { queue.end(cause); });
  try {
    let messages = 0n;
    for (let batch = await queue.take(); batch !== undefined; batch = await queue.take()) {
      signal.throwIfAborted();
      if (batch.records.length > 0) yield batch.records;
      messages += BigInt(batch.messages);
      onProgress?.({ messages, total });
    }
  } finally {
    queue.end();
    leaving.abort();
    await run;
  }
}

/** About so much a message takes beside its value. */
const messageBytes = 1_000;

interface Batch {
  readonly records: readonly RawRecord[];
  /** How many messages they were read from. */
  readonly messages: number;
}

function rawOf(message: KafkaMessage, partition: number, partitions: number, skip: ReadonlySet<string>): RawRecord {
  const place = { partition, offset: BigInt(message.offset) };
  if (skip.has(`${partition}-${message.offset}`)) return { kind: 'skipped', ...place };
  const read = readMessage(message, partition, partitions);
  return read.kind === 'record' ? { kind: 'record', record: read.record, subject: read.subject } : { kind: 'unreadable', ...place, problem: read.problem };
}

function isOf(raw: RawRecord, subject: string): boolean {
  return raw.kind === 'record' && raw.subject === subject;
}
