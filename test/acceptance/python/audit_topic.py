"""Audits Lehr's log in Kafka: python3 audit_topic.py BROKERS TOPIC

Per ce_subject a record is taken only if its ce_sequence is the last one plus 1 and its ce_predecessorhash is the hash of the last
one taken; every other one is void. Prints the last revision and hash of each stream, and how many events, streams and void records
there are. Ends with 1 at what the service cannot have written.
"""
import hashlib
import sys

from confluent_kafka import Consumer, TopicPartition

NAMES = [f'ce_{name}' for name in ('id', 'owner', 'predecessorhash', 'sequence', 'source', 'specversion', 'subject', 'time', 'type')]


def require(holds, otherwise):
    if not holds:
        sys.exit(otherwise)


def read(brokers, topic):
    """Every message from the beginning to the end that the topic has now, in the order of each partition."""
    consumer = Consumer({'bootstrap.servers': brokers, 'group.id': f'{topic}.audit', 'enable.auto.commit': False})
    known = consumer.list_topics(topic, timeout=10).topics[topic]
    require(not known.error, f'{topic}: {known.error}')
    ends = {}
    for number in known.partitions:
        low, high = consumer.get_watermark_offsets(TopicPartition(topic, number), timeout=10)
        require(low == 0, f'{number}-{low}: the records before were removed')
        if high > 0:
            ends[number] = high
    consumer.assign([TopicPartition(topic, number, 0) for number in ends])
    while ends:
        message = consumer.poll(10)
        require(message is not None, f'the topic cannot be read: nothing comes, but {len(ends)} partitions have more')
        require(not message.error(), f'the topic cannot be read: {message.error()}')
        number, end = message.partition(), ends.get(message.partition(), 0)
        if message.offset() < end:
            yield message
        if message.offset() == end - 1:
            del ends[number]
    consumer.close()


heads, homes, events, void = {}, {}, 0, 0
for message in read(*sys.argv[1:]):
    place, headers, value = f'{message.partition()}-{message.offset()}', message.headers() or [], message.value()
    record = dict(headers)
    require(value is not None and len(record) == len(headers) and all(name in record for name in NAMES), f'{place}: this is no record')
    parts = [part for name in NAMES for part in (name.encode(), record[name])] + [value]
    computed = hashlib.sha256(b''.join(len(part).to_bytes(4, 'big') + part for part in parts)).hexdigest()
    subject, sequence, predecessor = (record[f'ce_{name}'].decode() for name in ('subject', 'sequence', 'predecessorhash'))
    require(homes.setdefault(subject, message.partition()) == message.partition(), f'{place}: {subject} lies in two partitions')
    revision, last = heads.get(subject, (0, '0' * 64))
    if int(sequence) == revision + 1 and predecessor == last:
        heads[subject] = (revision + 1, computed)
        events += 1
    else:
        require(int(sequence) <= revision, f'{place}: {subject} {sequence} does not follow revision {revision}: altered, removed or moved')
        void += 1

for subject, (revision, last) in sorted(heads.items()):
    print(subject, revision, last)
print(f'{events} events of {len(heads)} streams, {void} void records: the chain holds')
