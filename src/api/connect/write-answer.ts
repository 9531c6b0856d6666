import type { ServerResponse } from 'node:http';

import type { UniversalServerResponse } from '@connectrpc/connect/protocol';

/**
 * Writes an answer at the pace of its reader. Resolves when all is written or the reader has left; a reader that takes
 * nothing for `stalledTimeoutMs` is cut off. Rejects with what the body throws; the connection is then destroyed, so
 * that half an answer is not taken for a whole one.
 */
export async function writeAnswer(answer: UniversalServerResponse, response: ServerResponse, stalledTimeoutMs: number): Promise<void> {
  const chunks = answer.body?.[Symbol.asyncIterator]();
  try {
    if (hasLeft(response)) return;
    response.writeHead(answer.status, Object.fromEntries(answer.header ?? []));
    for (;;) {
      const next = await chunks?.next();
      if (hasLeft(response)) return;
      if (next === undefined || next.done === true) break;
      if (!response.write(next.value)) await roomOrLeaving(response, stalledTimeoutMs);
    }
    response.end();
  } catch (thrown) {
    response.destroy();
    throw thrown;
  } finally {
    // What clean-up throws meets nobody: the answer has been given.
    void chunks?.return?.().catch(() => undefined);
  }
}

const hasLeft = (response: ServerResponse): boolean => response.destroyed;

function roomOrLeaving(response: ServerResponse, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => response.destroy(), timeoutMs);
    const settle = (): void => {
      clearTimeout(stalled);
      response.off('drain', settle).off('close', settle);
      resolve();
    };
    response.once('drain', settle).once('close', settle);
  });
}
