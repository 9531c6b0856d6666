import { isUtf8 } from 'node:buffer';
import type { KafkaMessage } from 'kafkajs';
import { encodeCanonicalParts } from '../canonical.ts';
import { headerNames, parseSequence, recordContentType, type LogRecord } from '../record.ts';
import { keyOf, partitionOf } from './partition-of.ts';
import type { ReadRecord } from './judge.ts';

/** A message of the topic as a record, or why it is none. */
export type ReadMessage =
  | { readonly kind: 'record'; readonly record: ReadRecord; readonly subject: string }
  | { readonly kind: 'unreadable'; readonly problem: string; readonly bytes: Buffer };

/** What `producer.send` takes. */
export interface OutgoingMessage {
  readonly partition: number;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly value: Buffer;
}

/** The message that holds a record, for a topic with so many partitions. */
export function messageOf({ headers, value }: LogRecord, partitions: number): OutgoingMessage {
  const named: Record<string, string> = {};
  for (const name of headerNames) named[name] = headers[name];
  named['content-type'] = recordContentType;
  const { ce_subject: subject } = headers;
  return { partition: partitionOf(subject, partitions), key: keyOf(subject), headers: named, value: Buffer.from(value) };
}

/**
 * Reads a message. It is a record where each of the `ce_` headers is there once, in UTF-8, with a revision of 20 digits; its
 * value is looked at by those who apply it. A record outside its stream's partition is marked: the rule never accepts it.
 */
export function readMessage(message: KafkaMessage, partition: number, partitions: number): ReadMessage {
  const headers: Buffer[] = [];
  for (const name of headerNames) {
    const value = message.headers?.[name];
    if (!Buffer.isBuffer(value)) return unreadable(message, value === undefined ? `it has no header ${name}` : `its header ${name} is there more than once`);
    if (!isUtf8(value)) return unreadable(message, `its header ${name} is not UTF-8`);
    headers.push(value);
  }
  if (parseSequence(String(headers[sequenceAt])) === undefined) return unreadable(message, 'its header ce_sequence is not 20 decimal digits');
  if (message.value === null) return unreadable(message, 'it has no value');
  const subject = String(headers[subjectAt]);
  const isForeign = partitionOf(subject, partitions) !== partition;
  const canonical = encodeCanonicalParts(headers, message.value);
  const record: ReadRecord = { partition, offset: BigInt(message.offset), canonical, ...(isForeign ? { isForeign } : {}) };
  return { kind: 'record', record, subject };
}

const sequenceAt = headerNames.indexOf('ce_sequence');
const subjectAt = headerNames.indexOf('ce_subject');

function unreadable(message: KafkaMessage, problem: string): ReadMessage {
  return { kind: 'unreadable', problem, bytes: bytesOf(message) };
}

/** Bytes that stand for a message that is no record, so that its place can be recognised by a hash. */
function bytesOf({ key, headers, value }: KafkaMessage): Buffer {
  const named = Object.entries(headers ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Buffer.from(JSON.stringify([
    'unreadable',
    key?.toString('base64') ?? null,
    named.map(([name, values]) => [name, ...[values ?? []].flat().map((part) => Buffer.from(part).toString('base64'))]),
    value?.toString('base64') ?? null,
  ]));
}
