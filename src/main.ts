import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { projections } from '../projections/all.ts';
import { headQueries } from '../projections/heads/queries.ts';
import { historyQueries } from '../projections/history/queries.ts';
import { imageQueries } from '../projections/images/queries.ts';
import { taskQueries } from '../projections/tasks/queries.ts';
import { timerQueries } from '../projections/timers/queries.ts';
import type { Services } from './api/call.ts';
import { eventService } from './api/event-service.ts';
import { gateServices, notReady } from './api/gate-services.ts';
import { startGrpc } from './api/grpc/start-grpc.ts';
import { startHttp } from './api/http/start-http.ts';
import { imageService, openImage, type OpenImage } from './api/image-service.ts';
import { ProgressBoard } from './api/progress-board.ts';
import { taskService } from './api/task-service.ts';
import { TaskWatches } from './api/watch/task-watches.ts';
import { BytesPool } from './bytes/bytes-pool.ts';
import { handleTask } from './handlers/handle-task.ts';
import { dispatchJobs, sweepUnfinished } from './jobs/dispatcher.ts';
import { MemoryJobQueue } from './jobs/memory/memory-job-queue.ts';
import { MemorySignals } from './jobs/memory/memory-signals.ts';
import { systemClock } from './jobs/system-clock.ts';
import { Timers } from './jobs/timers.ts';
import { meteredLog } from './observe/metered-log.ts';
import { logEvents } from './observe/log-events.ts';
import { createMetrics } from './observe/metrics.ts';
import { lockDataFolder } from './log/sqlite/data-lock.ts';
import { SqliteEventLog } from './log/sqlite/sqlite-event-log.ts';
import { storedRecords } from './log/sqlite/stored-records.ts';
import { Feed } from './projector/feed.ts';
import { openProjectionsForReading, removeOldProjections } from './projector/open-projections.ts';
import { openStorage } from './projector/storage.ts';
import { createSources } from './sources/create-sources.ts';
import { FolderStore } from './stores/folder/folder-store.ts';
import { imageStreams } from './streams/image-streams.ts';
import { projectedReadSide } from './streams/projected-read-side.ts';
import { taskStreams } from './streams/task-streams.ts';
import { fireTimer } from './worker/fire-timer.ts';
import { removeDeletedImages, sweepStore } from './worker/janitor.ts';
import { Worker } from './worker/worker.ts';
import type { Config } from './settings.ts';

/** How long attempts and open calls are given to end when the server is asked to stop. */
export const stopGraceMs = 5_000;

/** A server that runs. */
export interface RunningServer {
  readonly grpcPort: number;
  readonly httpPort: number;
  /** Resolves once calls are answered: the projections have caught up. */
  readonly ready: Promise<void>;
  /** Takes no more work, lets watchers go, ends or hands back attempts, closes everything. A second call waits for the first. */
  stop(): Promise<void>;
}

/**
 * The composition root: config in, roles out; nothing else wires. `onServerDeath` is called when the server cannot go on.
 * Rejects, with a message for the operator, where it cannot start.
 */
export async function startServer(config: Config, logger: Logger, onServerDeath: (cause: unknown) => void): Promise<RunningServer> {
  let isStopping = false;
  const onDeath = (cause: unknown): void => {
    if (!isStopping) onServerDeath(cause);
  };
  const folder = resolve(config['data-dir']);
  const incarnation = randomUUID();
  const clock = systemClock;
  const undo: (() => unknown)[] = [];
  const unwind = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const lock = lockDataFolder(folder, `process ${process.pid} on ${hostname()}`);
    undo.push(() => { lock.release(); });
    const store = await FolderStore.open(config['store-dir'] === '' ? join(folder, 'store') : resolve(config['store-dir']));
    undo.push(() => store.close());
    const storage = await openStorage(folder, { stageTimeoutMs: config['stage-timeout'] }, onDeath);
    undo.push(() => storage.close());
    const pool = new BytesPool(config.workers, {
      onThreadDeath: (cause) => { logger.error({ cause }, 'a thread that handles bytes died and is replaced; its transfers are tried again'); },
    });
    undo.push(() => pool.close());

    let services: Services | undefined;
    let open: OpenImage | undefined;
    let roles: Awaited<ReturnType<typeof startRoles>> | undefined;
    const gated = gateServices(() => services);
    const metrics = createMetrics({
      runningTasks: () => roles?.worker.runningCount ?? 0,
      openWatches: () => roles?.watches.count ?? 0,
      projectionLag: () => storage.lagRecords,
      borrowedSlots: () => pool.stats().borrowedSlots,
    });
    const readiness = (): string[] => [
      ...(services === undefined ? ['the projections have not caught up with the log yet'] : []),
      ...(storage.lagging === undefined ? [] : [`the projections cannot be written: ${storage.lagging}`]),
    ];
    const http = await startHttp({
      services: gated, host: config.listen, port: config['http-port'], logger, readiness, metrics: () => metrics.read(),
      openImage: async (id, call) => {
        if (open === undefined) throw notReady();
        const { image, bytes } = await open(id, call);
        return { image, read: (target, position) => bytes.read(target, position), close: () => bytes.close() };
      },
    });
    undo.push(() => http.stop(stopGraceMs));
    const grpc = await startGrpc({ services: gated, host: config.listen, port: config['grpc-port'], logger });
    undo.push(() => grpc.stop(stopGraceMs));

    const startRoles = async () => {
      await storage.ready;
      removeOldProjections(storage.projectionsFolder, projections);
      const db = openProjectionsForReading(storage.projectionsFolder, projections);
      undo.push(() => { db.close(); });
      const sqlite = new SqliteEventLog(storage, storage.logFile, storage.endAtOpen);
      const log = meteredLog(sqlite, metrics, clock);
      undo.push(() => log.close());
      const history = historyQueries(db);
      const queries = taskQueries(db);
      const readSide = projectedReadSide(history, storage.applied);
      const tasks = taskStreams(log, readSide);
      const images = imageStreams(log, readSide);
      const signals = new MemorySignals();
      const feed = new Feed(log, (position, signal) => storage.applied.reached(position, signal), storage.applied.position);
      const queue: MemoryJobQueue = new MemoryJobQueue(() => { sweepUnfinished(queries, queue); });
      const finish = { tasks, images, store, clock };
      const sources = createSources({
        fileRoots: config['file-roots'], idleTimeoutMs: config['idle-timeout'], maxImageBytes: config['max-image-bytes'], now: clock.now,
      });
      undo.push(() => sources.close());
      const worker = new Worker({
        ...finish, signals, queue, incarnation, log: logger,
        node: hostname(), isDead: () => true, // The lock on the data folder proves that every other incarnation is dead.
        attemptLimit: config['attempt-limit'], stageTimeoutMs: config['stage-timeout'], transfers: config.transfers,
        handle: handleTask({ pool, store, sources, maxVirtualBytes: BigInt(config['max-virtual-bytes']) }),
      });
      const timers = new Timers(timerQueries(db), clock, fireTimer({
        tasks, queue, store, clock, stageTimeoutMs: config['stage-timeout'], attemptLimit: config['attempt-limit'],
      }));
      const watches = new TaskWatches({ queries, feed, signals, clock });
      const board = new ProgressBoard(signals);

      feed.listen((events) => { metrics.onEvents(events, (id) => tasks.peek(id)); });
      feed.listen(logEvents(logger));
      feed.listen((events) => { worker.onEvents(events); });
      feed.listen(removeDeletedImages(finish, logger));
      // A task that was only created waits for nothing yet.
      feed.listen((events) => { if (events.some(({ event }) => event.payload.$case !== 'taskCreated')) timers.arm(); });
      const following = new AbortController();
      let swept = Promise.resolve();
      if (config.workers > 0) {
        dispatchJobs(feed, queue);
        void worker.run();
        sweepUnfinished(queries, queue);
        swept = sweepStore(finish, following.signal).then(() => undefined, (err: unknown) => {
          if (!following.signal.aborted) logger.warn({ err }, 'the store could not be swept; the next start tries again');
        });
      }
      const followed = feed.run(following.signal).catch(onDeath);
      timers.arm();
      const stopping = new AbortController();
      undo.push(async () => {
        watches.stop();
        stopping.abort();
        // The doors close before what calls are answered from does.
        await Promise.all([timers.stop(), worker.stop(stopGraceMs), grpc.stop(stopGraceMs), http.stop(stopGraceMs)]);
        following.abort();
        await Promise.all([followed, swept]);
      });
      const imageRows = imageQueries(db);
      open = openImage(imageRows, store);
      services = {
        tasks: taskService({
          tasks, queries, readSide, board, watches, clock, rules: { fileRoots: config['file-roots'] }, defaultTtlMs: config['task-ttl'],
        }),
        images: imageService({ images, queries: imageRows, readSide, open, clock }),
        events: eventService({
          log, history, heads: headQueries(db), readSide, stopping: stopping.signal,
          storedRecords: (subject) => storedRecords(storage.logFile, subject),
        }),
      };
      grpc.setServing(true);
      return { worker, watches };
    };

    const ready = startRoles().then((started) => { roles = started; });
    ready.catch(onDeath);
    let stopped: Promise<void> | undefined;
    return {
      grpcPort: grpc.port,
      httpPort: http.port,
      ready,
      stop: () => {
        isStopping = true;
        grpc.setServing(false);
        // What has not caught up with its log yet does so the next time.
        const interrupted = services === undefined ? storage.close() : Promise.resolve();
        return (stopped ??= interrupted.then(() => ready).catch(() => undefined).then(unwind));
      },
    };
  } catch (cause) {
    await unwind();
    throw cause;
  }
}
