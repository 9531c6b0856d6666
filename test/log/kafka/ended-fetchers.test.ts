import { createRequire } from 'node:module';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';

import { endedFetchers } from '../../../src/log/kafka/ended-fetchers.ts';

const require = createRequire(import.meta.url);

interface Manager {
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Logger {
  readonly namespace: () => Logger;
  readonly debug: () => void;
}

const logger: Logger = { namespace: () => logger, debug: () => undefined };

/**
 * The fetchers of kafkajs for a consumer that is stopped in the moment in which the brokers have become others: what stops them finds
 * those from before. Resolves with how often the stopped consumer was asked, at most `limit` times.
 */
async function askedAfterStop(limit: number): Promise<number> {
  const createFetchManager = require('kafkajs/src/consumer/fetchManager') as (options: object) => Manager;
  const { prototype } = require('kafkajs/src/consumer/runner') as { readonly prototype: { readonly fetch: (nodeId: number) => Promise<unknown> } };
  const runner = { running: true, logger, consumerGroup: {} };
  let nodeIds = [1, 2];
  let asked = 0;
  let stopped: Promise<void> | undefined;
  const manager = createFetchManager({
    logger, getNodeIds: () => nodeIds, handler: async () => undefined,
    fetch: async (nodeId: number) => {
      if (runner.running) {
        // The next look finds other brokers, and the consumer is stopped before the fetchers for these are there.
        nodeIds = [1];
        await nextTurn();
        runner.running = false;
        stopped ??= manager.stop();
        return [];
      }
      asked += 1;
      // For ever, if nothing ended it here.
      if (asked === limit) throw new Error('enough');
      return prototype.fetch.call(runner, nodeId);
    },
  });
  await manager.start().catch(() => undefined);
  await stopped;
  return asked;
}

test.serial('a consumer of kafkajs by itself, stopped when the brokers have become others, is asked without end', async (t) => {
  t.is(await askedAfterStop(1_000), 1_000, 'where kafkajs has mended this, ended-fetchers.ts can go');
});

test.serial('with its fetchers ended it is asked once', async (t) => {
  endedFetchers();
  t.is(await askedAfterStop(1_000), 1);
});
