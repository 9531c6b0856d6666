import type { ProgressSignal } from '../../src/jobs/signals.ts';
import { MemoryJobQueue } from '../../src/jobs/memory/memory-job-queue.ts';
import { MemorySignals } from '../../src/jobs/memory/memory-signals.ts';
import { startPosition } from '../../src/log/position.ts';
import { Feed } from '../../src/projector/feed.ts';
import type { ImageStore } from '../../src/stores/image-store.ts';
import { imageStreams } from '../../src/streams/image-streams.ts';
import { taskStreams, type TaskStreams } from '../../src/streams/task-streams.ts';
import type { RunningAttempt } from '../../src/worker/running-attempt.ts';
import { Worker } from '../../src/worker/worker.ts';
import type { TaskCommand } from '../../src/domain/task/task-command.ts';
import { create } from '../domain/task-fixtures.ts';
import { VirtualClock } from '../jobs/virtual-clock.ts';
import { ScriptedLog } from '../streams/scripted-log.ts';

/** A worker over a scripted log, with a handler that the test gives and a store that only remembers what was asked of it. */
export interface WorkerBench {
  readonly worker: Worker;
  readonly queue: MemoryJobQueue;
  readonly clock: VirtualClock;
  readonly log: ScriptedLog;
  readonly tasks: TaskStreams;
  readonly signals: readonly ProgressSignal[];
  /** What was asked of the store, such as `discardStaging <id>`. */
  readonly asked: readonly string[];
  /** What the worker said to the operator. */
  readonly said: readonly { readonly level: string; readonly message: string; readonly fields: Readonly<Record<string, unknown>> }[];
  /** Creates a task and offers its job. */
  begin(id: string): Promise<void>;
  /** Tells the worker all that has happened since this was called last. */
  tell(): Promise<void>;
  /** The types of a task's events. */
  events(id: string): string[];
}

export const stageTimeoutMs = 30_000;

/** `handle` is the handler; `transfers` how many run at once; `task` what its tasks have instead of the usual. */
export function workerBench(
  handle: (attempt: RunningAttempt) => Promise<void>, transfers = 2, task: Partial<TaskCommand> = {},
): WorkerBench {
  const log = new ScriptedLog();
  const clock = new VirtualClock();
  const queue = new MemoryJobQueue(() => undefined);
  const tasks = taskStreams(log, log.readSide);
  const asked: string[] = [];
  const store = new Proxy({}, {
    get: (_, name) => async (...args: readonly unknown[]) => { asked.push([String(name), ...args].join(' ')); },
  }) as ImageStore;
  const memorySignals = new MemorySignals();
  const signals: ProgressSignal[] = [];
  memorySignals.listen((signal) => { signals.push(signal); });
  const said: WorkerBench['said'][number][] = [];
  const say = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string): void => {
    said.push({ level, message, fields });
  };
  const worker = new Worker({
    tasks, images: imageStreams(log, log.readSide), store, clock, signals: memorySignals, queue,
    handle: (_, attempt) => handle(attempt as RunningAttempt), node: 'node-1', incarnation: 'life-1', isDead: () => false,
    attemptLimit: 3, transfers, stageTimeoutMs, log: { warn: say('warn'), error: say('error') },
    onExportEnded: async ({ id, status }) => { asked.push(`onExportEnded ${id} ${status}`); },
  });
  void worker.run();
  const feed = new Feed(log, async () => undefined, startPosition);
  let told = 0;
  feed.listen((events) => {
    worker.onEvents(events.slice(told));
    told = events.length;
  });
  return {
    worker, queue, clock, log, tasks, signals, asked, said,
    async begin(id) {
      await tasks.execute(id, { ...create(0), ...task, type: 'createTask', id } as TaskCommand);
      queue.offer(id);
    },
    tell: () => feed.run(new AbortController().signal),
    events: (id) => log.records.filter(({ record: { headers } }) => headers.ce_subject === `tasks/${id}`)
      .map(({ record: { headers } }) => headers.ce_type.replace('lehr.v1.', '')),
  };
}
