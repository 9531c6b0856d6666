import type { OutgoingMessage } from '../../../src/log/kafka/read-message.ts';
import type { Sender } from '../../../src/log/kafka/topic-sender.ts';
import { Random } from '../../simulation/random.ts';

/**
 * Does to records what a client library and a changing cluster may: sends some of them twice, at once or with what comes later, splits
 * batches and sends their parts in another order.
 */
export function meddlingSender(sender: Sender, seed: number): Sender {
  const random = new Random(seed);
  const copies: OutgoingMessage[] = [];
  return {
    async send(messages) {
      const late = copies.splice(0, random.between(0, 3));
      for (const message of messages) if (random.chance(0.3)) copies.push(message);
      const some = messages.filter(() => random.chance(0.5));
      const rest = messages.filter((message) => !some.includes(message));
      const twice = random.chance(0.3) ? [some] : [];
      // A stream has one record on its way at a time, so that any order of these is one that may happen.
      for (const part of [rest, late, some, ...twice].filter(({ length }) => length > 0)) await sender.send(part);
    },
    async close() {
      if (copies.length > 0) await sender.send(copies);
      await sender.close();
    },
  };
}
