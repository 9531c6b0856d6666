import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { FailureError } from '../domain/failures.ts';
import { earlyFlushesPerThread, replyEveryBytes } from './bounds.ts';
import { FlushGate } from './flush-gate.ts';
import { inspectStored } from './inspect-stored.ts';
import type { PoolCommand, PoolReply, PoolResult, PoolThreadData } from './messages.ts';
import { StagedFile } from './staged-file.ts';
import { storeFailure } from '../stores/store-failure.ts';

/*
 * A thread of the bytes pool. It holds the files and hash states of the transfers that are pinned to it; the bytes reach it
 * in slots of shared memory, the commands in batches, and both are handled in order.
 */

const { memory, slotBytes } = workerData as PoolThreadData;
const port = parentPort;
if (port === null) throw new Error('This module is the entry of a worker thread.');

const gate = new FlushGate(earlyFlushesPerThread);
const files = new Map<number, StagedFile>();
let freedSlots: number[] = [];
let results: PoolResult[] = [];
let handledBytes = 0;
let inBatch = false;
let replyScheduled = false;

port.on('message', (commands: readonly PoolCommand[]) => {
  inBatch = true;
  for (const command of commands) {
    try {
      handle(command);
    } catch (error) {
      files.get(command.id)?.abort(() => undefined);
      end({ kind: 'crashed', id: command.id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
    if (handledBytes >= replyEveryBytes) reply();
  }
  inBatch = false;
  reply();
});

function handle(command: PoolCommand): void {
  const { id } = command;
  switch (command.kind) {
    case 'open': {
      try {
        const onFailure = (failure: PoolFailure): void => end({ kind: 'failed', id, failure });
        files.set(id, new StagedFile(command.path, command.name, command.declared, gate, onFailure));
      } catch (error) {
        end({ kind: 'failed', id, failure: storeFailure(error, command.name, 0) });
      }
      return;
    }
    case 'data': {
      freedSlots.push(command.slot);
      handledBytes += command.sizeBytes;
      files.get(id)?.append(new Uint8Array(memory, command.slot * slotBytes, command.sizeBytes));
      return;
    }
    case 'finish': {
      files.get(id)?.finish((result) => end({ kind: 'finished', id, ...result }));
      return;
    }
    case 'abort': {
      const file = files.get(id);
      if (file === undefined) {
        rmSync(command.path, { force: true });
        end({ kind: 'aborted', id });
      } else {
        file.abort(() => end({ kind: 'aborted', id }));
      }
      return;
    }
    case 'inspect': {
      end(inspect(command));
      return;
    }
    default:
      command satisfies never;
  }
}

function inspect({ id, path, name, declared, maxVirtualBytes }: Extract<PoolCommand, { kind: 'inspect' }>): PoolResult {
  try {
    return { kind: 'inspected', id, verdict: inspectStored(path, name, declared, { maxVirtualBytes }) };
  } catch (error) {
    if (error instanceof FailureError) return { kind: 'failed', id, failure: error.failure };
    throw error;
  }
}

type PoolFailure = Extract<PoolResult, { kind: 'failed' }>['failure'];

/** Results of flushes that end in the same turn travel together. */
function end(result: PoolResult): void {
  files.delete(result.id);
  results.push(result);
  if (inBatch || replyScheduled) return;
  replyScheduled = true;
  setImmediate(reply);
}

function reply(): void {
  replyScheduled = false;
  handledBytes = 0;
  if (freedSlots.length === 0 && results.length === 0) return;
  const message: PoolReply = { freedSlots, results };
  freedSlots = [];
  results = [];
  port?.postMessage(message);
}
