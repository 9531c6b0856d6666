import { rmSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { FailureError } from '../domain/failures.ts';
import { decoderBytesPerThread, earlyFlushesPerThread, replyEveryBytes } from './bounds.ts';
import { FlushGate } from './flush-gate.ts';
import { copyJob } from './jobs/copy-job.ts';
import { decodeJob } from './jobs/decode-job.ts';
import { digestJob } from './jobs/digest-job.ts';
import { inspectJob } from './jobs/inspect-job.ts';
import { JobAbortedError, JobContext } from './jobs/job-context.ts';
import { MemoryBudget } from './memory-budget.ts';
import type { JobProgress, PoolCommand, PoolJob, PoolReply, PoolResult, PoolThreadData, TransferSync } from './messages.ts';
import { StagedFile } from './staged-file.ts';
import type { SyncedFile } from './staged-file.ts';
import { storeFailure } from '../stores/store-failure.ts';

/*
 * A thread of the bytes pool. It holds the files and hash states of the transfers that are pinned to it; the bytes reach it
 * in slots of shared memory, the commands in batches, and both are handled in order.
 */

const { memory, slotBytes } = workerData as PoolThreadData;
const port = parentPort;
if (port === null) throw new Error('This module is the entry of a worker thread.');

const gate = new FlushGate(earlyFlushesPerThread);
const room = { gate, memory: new MemoryBudget(decoderBytesPerThread) };
const files = new Map<number, StagedFile>();
const jobs = new Map<number, JobContext>();
let freedSlots: number[] = [];
let synced: TransferSync[] = [];
let progress: JobProgress[] = [];
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
      end(crash(command.id, error));
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
        const { path, name, declared } = command;
        const onSynced = (sync: SyncedFile): void => told({ ...sync, id, asked: false });
        files.set(id, new StagedFile({ path, name, declared, wrapping: 'wrapped', gate, onFailure, onSynced }));
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
    case 'restart': {
      files.get(id)?.restart();
      return;
    }
    case 'sync': {
      files.get(id)?.sync((sync) => told({ ...sync, id, asked: true }));
      return;
    }
    case 'finish': {
      files.get(id)?.finish((result) => end({ kind: 'finished', id, ...result }));
      return;
    }
    case 'abort': {
      const job = jobs.get(id);
      if (job !== undefined) return job.abort();
      const file = files.get(id);
      if (file === undefined) {
        rmSync(command.path, { force: true });
        end({ kind: 'aborted', id });
      } else {
        file.abort(() => end({ kind: 'aborted', id }));
      }
      return;
    }
    case 'run': {
      void run(id, command.job);
      return;
    }
    default:
      command satisfies never;
  }
}

async function run(id: number, job: PoolJob): Promise<void> {
  const context = new JobContext((bytesDone, bytesTotal) => tell({ id, bytesDone, bytesTotal }));
  jobs.set(id, context);
  const result = await perform(id, job, context).catch((error: unknown): PoolResult => {
    if (error instanceof JobAbortedError) return { kind: 'aborted', id };
    return error instanceof FailureError ? { kind: 'failed', id, failure: error.failure } : crash(id, error);
  });
  jobs.delete(id);
  end(result);
}

async function perform(id: number, job: PoolJob, context: JobContext): Promise<PoolResult> {
  switch (job.kind) {
    case 'inspect':
      return { kind: 'inspected', id, verdict: await inspectJob(job, context) };
    case 'digest':
      return { kind: 'finished', id, ...(await digestJob(job, context)) };
    case 'copy':
      return { kind: 'finished', id, ...(await copyJob(job, context, gate)) };
    case 'decode':
      return { kind: 'decoded', id, ...(await decodeJob(job, context, room)) };
    default:
      return job satisfies never;
  }
}

function crash(id: number, error: unknown): PoolResult {
  return { kind: 'crashed', id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
}

type PoolFailure = Extract<PoolResult, { kind: 'failed' }>['failure'];

/** Results of flushes that end in the same turn travel together. */
function end(result: PoolResult): void {
  files.delete(result.id);
  results.push(result);
  scheduleReply();
}

function tell(step: JobProgress): void {
  progress.push(step);
  scheduleReply();
}

function told(sync: TransferSync): void {
  synced.push(sync);
  scheduleReply();
}

function scheduleReply(): void {
  if (inBatch || replyScheduled) return;
  replyScheduled = true;
  setImmediate(reply);
}

function reply(): void {
  replyScheduled = false;
  handledBytes = 0;
  if (freedSlots.length === 0 && results.length === 0 && progress.length === 0 && synced.length === 0) return;
  const message: PoolReply = { freedSlots, synced, progress, results };
  freedSlots = [];
  synced = [];
  progress = [];
  results = [];
  port?.postMessage(message);
}
