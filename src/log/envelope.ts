import { randomUUID } from 'node:crypto';
import {
  AttemptFailed, AttemptStarted, CancelRequested, ImageDeleted, ImageRegistered, ImageStored, ImageUpdated,
  StageCompleted, TaskCanceled, TaskCreated, TaskExpired, TaskFailed, TaskSucceeded, type Event,
} from '../gen/lehr/v1/event.ts';
import type { DomainEvent, Payload } from '../domain/decision.ts';
import type { Head } from './head.ts';
import { formatSequence, parseSequence, recordSource, type LogRecord } from './record.ts';

interface Codec<T> {
  readonly encode: (message: T) => { finish(): Uint8Array };
  readonly decode: (bytes: Uint8Array) => T;
}

type Codecs = { readonly [P in Payload as P['$case']]: Codec<P['value']> };

const codecs: Codecs = {
  taskCreated: TaskCreated,
  attemptStarted: AttemptStarted,
  stageCompleted: StageCompleted,
  imageStored: ImageStored,
  attemptFailed: AttemptFailed,
  cancelRequested: CancelRequested,
  taskSucceeded: TaskSucceeded,
  taskFailed: TaskFailed,
  taskCanceled: TaskCanceled,
  taskExpired: TaskExpired,
  imageRegistered: ImageRegistered,
  imageUpdated: ImageUpdated,
  imageDeleted: ImageDeleted,
};

const casesByType = new Map<string, Payload['$case']>(
  (Object.keys(codecs) as Payload['$case'][]).map(($case) => [`lehr.v1.${$case[0]?.toUpperCase() ?? ''}${$case.slice(1)}`, $case] as const),
);
const typesByCase = new Map([...casesByType].map(([type, $case]) => [$case, type] as const));

/**
 * The record that claims the revision after `head` for `event`. `id` is the record's UUID: random, unless every node must
 * write the same record.
 */
export function sealRecord(subject: string, head: Head, event: DomainEvent, id: string = randomUUID()): LogRecord {
  const { payload, time, owner } = event;
  const codec = codecs[payload.$case] as Codec<Payload['value']>;
  return {
    headers: {
      ce_id: id,
      ce_owner: owner,
      ce_predecessorhash: head.hash,
      ce_sequence: formatSequence(head.revision + 1n),
      ce_source: recordSource,
      ce_specversion: '1.0',
      ce_subject: subject,
      ce_time: time.toISOString(),
      ce_type: typesByCase.get(payload.$case) ?? '',
    },
    value: codec.encode(payload.value).finish(),
  };
}

/** The event in a record; undefined where this version does not know its type. Throws where the value does not decode. */
export function openRecord(record: LogRecord): DomainEvent | undefined {
  const $case = casesByType.get(record.headers.ce_type);
  if ($case === undefined) return undefined;
  const value = codecs[$case].decode(record.value);
  return { payload: { $case, value } as Payload, time: new Date(record.headers.ce_time), owner: record.headers.ce_owner };
}

/** A record as the public API shows it. `payload` is undefined where this version does not know the type. */
export function describeRecord(record: LogRecord, hash: string): Event {
  const { headers } = record;
  return {
    id: headers.ce_id,
    type: headers.ce_type,
    subject: headers.ce_subject,
    revision: parseSequence(headers.ce_sequence) ?? 0n,
    time: new Date(headers.ce_time),
    owner: headers.ce_owner,
    predecessorHash: headers.ce_predecessorhash,
    hash,
    payload: openRecord(record)?.payload,
  };
}
