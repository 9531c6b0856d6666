/**
 * Murmur2 with the seed and the finish of Kafka's default partitioner (`org.apache.kafka.common.utils.Utils.murmur2`), as an
 * unsigned number of 32 bits. Here because that of kafkajs computes in BigInt, and every record that is sent or read asks for it.
 */
export function murmur2(bytes: Uint8Array): number {
  const { length } = bytes;
  let hash = seed ^ length;
  const whole = length & ~3;
  for (let at = 0; at < whole; at += 4) {
    let word = byteAt(bytes, at) | (byteAt(bytes, at + 1) << 8) | (byteAt(bytes, at + 2) << 16) | (byteAt(bytes, at + 3) << 24);
    word = Math.imul(word, multiplier);
    word ^= word >>> shift;
    word = Math.imul(word, multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  for (let at = length - 1; at >= whole; at -= 1) hash ^= byteAt(bytes, at) << (8 * (at - whole));
  if (whole < length) hash = Math.imul(hash, multiplier);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, multiplier);
  return (hash ^ (hash >>> 15)) >>> 0;
}

const seed = 0x9747b28c;
const multiplier = 0x5bd1e995;
const shift = 24;

function byteAt(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0;
}
