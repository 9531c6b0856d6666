import test from 'ava';
import type { KafkaMessage } from 'kafkajs';
import { encodeCanonical, decodeCanonical } from '../../../src/log/canonical.ts';
import { keyOf, partitionOf } from '../../../src/log/kafka/partition-of.ts';
import { messageOf, readMessage } from '../../../src/log/kafka/read-message.ts';
import { TaskChain } from '../../contract/task-chain.ts';

const partitions = 12;

type Headers = Record<string, Buffer | Buffer[] | undefined>;

/** A message as kafkajs gives it. */
function received(canonical: Uint8Array, change: (headers: Headers) => void = () => undefined): KafkaMessage {
  const { key, headers, value } = messageOf(decodeCanonical(canonical), partitions);
  const buffers: Headers = Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]));
  change(buffers);
  return { key: Buffer.from(key), value, headers: buffers, timestamp: '0', attributes: 0, offset: '7' };
}

test('a record is sent with its key and read back in the same bytes', (t) => {
  const chain = new TaskChain();
  const canonical = chain.candidate();
  const message = messageOf(decodeCanonical(canonical), partitions);
  t.is(message.key, chain.id);
  t.deepEqual(Object.keys(message.headers).toSorted(), [
    'ce_id', 'ce_owner', 'ce_predecessorhash', 'ce_sequence', 'ce_source', 'ce_specversion', 'ce_subject', 'ce_time', 'ce_type', 'content-type',
  ]);
  const partition = partitionOf(chain.subject, partitions);
  t.deepEqual(readMessage(received(canonical), partition, partitions), {
    kind: 'record', subject: chain.subject, record: { partition, offset: 7n, canonical },
  });
});

test('a record outside the partition of its stream is foreign', (t) => {
  const chain = new TaskChain();
  const partition = (partitionOf(chain.subject, partitions) + 1) % partitions;
  const read = readMessage(received(chain.candidate()), partition, partitions);
  t.true(read.kind === 'record' && read.record.isForeign);
});

test('a task and its image share a partition, the one that Kafka picks for the key', (t) => {
  t.is(keyOf('tasks/0b7e6c3a-9b1d-5a54-8f5e-6d3c8e0f2a11'), '0b7e6c3a-9b1d-5a54-8f5e-6d3c8e0f2a11');
  for (const id of ['0b7e6c3a-9b1d-5a54-8f5e-6d3c8e0f2a11', 'a', '']) t.is(partitionOf(`tasks/${id}`, 12), partitionOf(`images/${id}`, 12));
  // org.apache.kafka.common.utils.Utils.murmur2, made positive: of "abc" 479470107.
  t.is(partitionOf('tasks/abc', 1_000), 107);
});

const unreadable: readonly (readonly [title: string, change: (headers: Headers) => void, problem: RegExp])[] = [
  ['a header is missing', (headers) => { delete headers['ce_subject']; }, /no header ce_subject/],
  ['a header is there twice', (headers) => { headers['ce_id'] = [Buffer.from('a'), Buffer.from('b')]; }, /header ce_id is there more than once/],
  ['a header is not UTF-8', (headers) => { headers['ce_owner'] = Buffer.from([0xc3, 0x28]); }, /header ce_owner is not UTF-8/],
  ['the revision is no number', (headers) => { headers['ce_sequence'] = Buffer.from('12'); }, /not 20 decimal digits/],
];

for (const [title, change, problem] of unreadable) {
  test(`it is no record where ${title}`, (t) => {
    const read = readMessage(received(new TaskChain().candidate(), change), 0, partitions);
    t.true(read.kind === 'unreadable' && problem.test(read.problem));
  });
}

test('it is no record without a value, and its bytes tell it from others', (t) => {
  const message = received(new TaskChain().candidate());
  const one = readMessage({ ...message, value: null }, 0, partitions);
  const other = readMessage({ ...message, value: null, key: Buffer.from('other') }, 0, partitions);
  t.true(one.kind === 'unreadable' && other.kind === 'unreadable' && !one.bytes.equals(other.bytes));
});

test('text that holds the replacement character is kept as it is', (t) => {
  const record = decodeCanonical(new TaskChain().candidate());
  const canonical = encodeCanonical({ ...record, headers: { ...record.headers, ce_owner: 'a\ufffdb' } });
  const read = readMessage(received(canonical), 0, partitions);
  t.true(read.kind === 'record' && Buffer.from(read.record.canonical).equals(canonical));
});
