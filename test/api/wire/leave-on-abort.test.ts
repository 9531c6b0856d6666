import test from 'ava';

import { leaveOnAbort } from '../../../src/api/wire/leave-on-abort.ts';

/** Numbers 1, 2, 3 …; notes when it was returned. */
function numbers(limit: number) {
  const seen: string[] = [];
  async function* count(): AsyncGenerator<number> {
    try {
      for (let number = 1; number <= limit; number += 1) yield number;
      seen.push('ended');
    } finally {
      seen.push('cleaned up');
    }
  }
  return { seen, count };
}

const collected = async (messages: AsyncIterable<number>, stopAt = Infinity): Promise<number[]> => {
  const all: number[] = [];
  for await (const message of messages) {
    all.push(message);
    if (message === stopAt) break;
  }
  return all;
};

test('without an abort everything passes', async (t) => {
  const { seen, count } = numbers(3);
  t.deepEqual(await collected(leaveOnAbort(count(), new AbortController().signal)), [1, 2, 3]);
  t.deepEqual(seen, ['ended', 'cleaned up']);
});

test('who stops early returns the iterator', async (t) => {
  const { seen, count } = numbers(3);
  t.deepEqual(await collected(leaveOnAbort(count(), new AbortController().signal), 2), [1, 2]);
  t.deepEqual(seen, ['cleaned up']);
});

test('after an abort nothing more is asked for', async (t) => {
  const { seen, count } = numbers(3);
  const controller = new AbortController();
  const all: number[] = [];
  for await (const number of leaveOnAbort(count(), controller.signal)) {
    all.push(number);
    controller.abort();
  }
  t.deepEqual(all, [1]);
  t.deepEqual(seen, ['cleaned up']);
});

test('an abort returns an iterator that is being asked', async (t) => {
  const controller = new AbortController();
  let settle: (result: IteratorResult<number>) => void;
  const silent: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({
      next: () => new Promise((resolve) => {
        settle = resolve;
        queueMicrotask(() => controller.abort());
      }),
      return: async () => {
        settle({ done: true, value: undefined });
        return { done: true, value: undefined };
      },
    }),
  };
  t.deepEqual(await collected(leaveOnAbort(silent, controller.signal)), []);
});

test('what the messages throw is thrown', async (t) => {
  async function* failing(): AsyncGenerator<number> {
    yield 1;
    throw new Error('broken');
  }
  await t.throwsAsync(collected(leaveOnAbort(failing(), new AbortController().signal)), { message: 'broken' });
});
