import { once } from 'node:events';
import { connect } from 'node:net';

/** An answer that takes longer does not come. */
const ANSWER_TIMEOUT_MS = 2_000;

/** The two requests of Kafka's protocol that are asked here: https://kafka.apache.org/protocol. */
const METADATA = { key: 3, version: 1 };
const FIND_COORDINATOR = { key: 10, version: 0 };

const int16 = (value: number): Buffer => Buffer.from([(value >> 8) & 0xff, value & 0xff]);
const int32 = (value: number): Buffer => Buffer.concat([int16(value >> 16), int16(value)]);
const text = (value: string): Buffer => Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);

/** Sends one request to a plaintext listener on loopback and gives the body of the answer. */
async function ask(port: number, { key, version }: { key: number; version: number }, body: Buffer): Promise<Buffer> {
  const socket = connect({ port, host: '127.0.0.1', signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
  try {
    await once(socket, 'connect');
    const request = Buffer.concat([int16(key), int16(version), int32(1), text('lehr-probe'), body]);
    socket.write(Buffer.concat([int32(request.length), request]));
    let received = Buffer.alloc(0);
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      // Four bytes of length and four of the correlation id come before the body.
      if (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) return received.subarray(8);
    }
    throw new Error('The broker closed the connection without an answer.');
  } finally {
    socket.destroy();
  }
}

/** The ids of the brokers that are in service, as the broker behind this loopback port knows them. */
export async function askForBrokers(port: number): Promise<readonly number[]> {
  const answer = await ask(port, METADATA, int32(0));
  let offset = 4;
  const skipText = (): void => {
    offset += 2 + Math.max(0, answer.readInt16BE(offset));
  };
  return Array.from({ length: answer.readInt32BE(0) }, () => {
    const id = answer.readInt32BE(offset);
    offset += 4;
    skipText();
    offset += 4;
    skipText();
    return id;
  });
}

/**
 * Whether consumer groups can be used. The first call makes the broker create its topic of offsets, so that no test
 * waits for that.
 */
export async function hasCoordinator(port: number): Promise<boolean> {
  return (await ask(port, FIND_COORDINATOR, text('lehr-probe'))).readInt16BE(0) === 0;
}
