import test from 'ava';
import kafkajs from 'kafkajs';
import { murmur2 } from '../../../src/log/kafka/murmur2.ts';
import { partitionOf } from '../../../src/log/kafka/partition-of.ts';
import { Random } from '../../simulation/random.ts';

test('keys hash as in Kafka, whatever their length', (t) => {
  // From Kafka's own UtilsTest.testMurmur2.
  const known = {
    21: -973932308, foobar: -790332482, 'a-little-bit-long-string': -985981536,
    'lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8': -58897971, abc: 479470107,
  };
  for (const [key, hash] of Object.entries(known)) t.is(murmur2(Buffer.from(key)) | 0, hash, key);
});

test('a stream lies where the partitioner of kafkajs puts its key', (t) => {
  const partitioner = kafkajs.Partitioners.DefaultPartitioner();
  const random = new Random(7);
  for (let round = 0; round < 2_000; round += 1) {
    const key = Array.from({ length: random.between(1, 40) }, () => String.fromCodePoint(random.between(33, 700))).join('');
    const partitions = random.between(1, 100);
    const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => (
      { partitionId, leader: 0, replicas: [], isr: [], partitionErrorCode: 0 }
    ));
    t.is(partitionOf(`tasks/${key}`, partitions), partitioner({ topic: '', partitionMetadata, message: { key, value: null } }));
  }
});
