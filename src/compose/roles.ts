import { hostname } from 'node:os';
import type { Logger } from 'pino';
import { projections } from '../../projections/all.ts';
import { headQueries } from '../../projections/heads/queries.ts';
import { historyQueries } from '../../projections/history/queries.ts';
import { imageQueries } from '../../projections/images/queries.ts';
import { taskQueries } from '../../projections/tasks/queries.ts';
import { timerQueries } from '../../projections/timers/queries.ts';
import type { Services } from '../api/call.ts';
import { eventService } from '../api/event-service.ts';
import { imageService, openImage, type OpenImage } from '../api/image-service.ts';
import { importPreviews } from '../api/preview-import.ts';
import { ProgressBoard } from '../api/progress-board.ts';
import { taskService } from '../api/task-service.ts';
import { TaskWatches } from '../api/watch/task-watches.ts';
import type { BytesPool } from '../bytes/bytes-pool.ts';
import type { Credentials } from '../credentials/credential.ts';
import { createDestinations } from '../destinations/create-destinations.ts';
import { removeExportLeftovers } from '../handlers/export-leftovers.ts';
import { handleTask } from '../handlers/handle-task.ts';
import { dispatchJobs } from '../jobs/dispatcher.ts';
import { dueTasks } from '../jobs/due-tasks.ts';
import { Sweep } from '../jobs/sweep.ts';
import { systemClock as clock } from '../jobs/system-clock.ts';
import { Timers } from '../jobs/timers.ts';
import { logEvents } from '../observe/log-events.ts';
import { meteredLog } from '../observe/metered-log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { Feed } from '../projector/feed.ts';
import { openProjectionsForReading, removeOldProjections } from '../projector/open-projections.ts';
import type { Config } from '../settings.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { regionAccesses } from '../regions/region-accesses.ts';
import { openRegionClient } from '../regions/region-client.ts';
import { createSources } from '../sources/create-sources.ts';
import { effectiveAllow } from '../sources/source-allow.ts';
import type { ImageStore } from '../stores/image-store.ts';
import { findImageIn } from '../streams/find-image.ts';
import { imageStreams } from '../streams/image-streams.ts';
import { projectedReadSide } from '../streams/projected-read-side.ts';
import { taskStreams } from '../streams/task-streams.ts';
import { fireTimer } from '../worker/fire-timer.ts';
import type { StopStep } from './stop-steps.ts';
import { removeDeletedImages, sweepStore } from '../worker/janitor.ts';
import { Worker } from '../worker/worker.ts';
import type { Backend } from './backend.ts';

/** What the roles work with. */
export interface RoleDeps {
  readonly config: Config;
  /** The secrets that tasks name. */
  readonly credentials: Credentials;
  readonly backend: Backend;
  readonly store: ImageStore;
  readonly pool: BytesPool;
  /** In which images are converted. */
  readonly sandbox: Sandbox;
  readonly metrics: Metrics;
  readonly logger: Logger;
  readonly onDeath: (cause: unknown) => void;
}

/** What the doors serve. */
export interface Serving {
  readonly services: Services;
  readonly open: OpenImage;
}

/** The roles of a server that has caught up with its log. */
export interface Roles {
  /** Undefined where this server has not the role api. */
  readonly serving: Serving | undefined;
  readonly runningCount: number;
  readonly openWatches: number;
  /** Lets watchers and followers go, takes no more work, and gives running attempts `graceMs` to end. */
  stopWork(graceMs: number): Promise<void>;
  /** What frees everything but the backend, once the doors are closed, in the order in which it was begun. */
  readonly closing: readonly StopStep[];
}

/** The store is swept this often beside the start: what another node left behind is not kept for longer. */
const sweepStoreEveryMs = 3_600_000;

/** Wires the roles over a backend that is ready. */
export function startRoles({ config, credentials, backend, store, pool, sandbox, metrics, logger, onDeath }: RoleDeps): Roles {
  const { coordination } = backend;
  const { signals, incarnation, isDead } = coordination;
  const works = config.workers > 0 && config.roles.includes('worker');
  removeOldProjections(backend.projectionsFolder, projections);
  const db = openProjectionsForReading(backend.projectionsFolder, projections);
  const log = meteredLog(backend.openLog(), metrics, clock);
  const history = historyQueries(db);
  const queries = taskQueries(db);
  const readSide = projectedReadSide(history, backend.applied);
  const tasks = taskStreams(log, readSide);
  const images = imageStreams(log, readSide);
  const findImage = findImageIn(images);
  const feed = new Feed(log, (position, signal) => backend.applied.reached(position, signal), backend.applied.position);
  const queue = coordination.openQueue(() => { if (works) sweep.run(); });
  const finish = { tasks, images, store, clock };
  const rules = {
    fileRoots: config['file-roots'], sourceAllow: effectiveAllow(config['source-allow'], config.auth), credentials,
    // Of other nodes nobody knows what they can.
    missingForConversion: works && config.log === 'sqlite' && sandbox.kind === 'none' ? sandbox.missing : undefined,
  };
  const regions = regionAccesses(config.regions, credentials);
  const regionClient = openRegionClient(regions, config['idle-timeout']);
  const sources = createSources({
    ...rules, regions, idleTimeoutMs: config['idle-timeout'], maxImageBytes: config['max-image-bytes'], now: clock.now,
  });
  const destinations = createDestinations({ ...rules, idleTimeoutMs: config['idle-timeout'], now: clock.now, files: pool });
  const inspection = { maxVirtualBytes: BigInt(config['max-virtual-bytes']), requireRecognisedRaw: config['require-recognised-raw'] === 'on' };
  const worker = new Worker({
    ...finish, signals, queue, incarnation, isDead, log: logger, node: hostname(),
    attemptLimit: config['attempt-limit'], stageTimeoutMs: config['stage-timeout'], transfers: config.transfers,
    onExportEnded: removeExportLeftovers({ store, destinations, log: logger }),
    handle: handleTask({
      pool, store, sources, destinations, sandbox, findImage, regions: regionClient, ...inspection,
      maxImageBytes: config['max-image-bytes'], maxDecodedRatio: config['max-decoded-ratio'],
      onLeftBehind: (taskId, location) => {
        logger.warn({ task_id: taskId, location }, 'what was delivered for a task that is canceled now could not be removed');
      },
    }),
  });
  const { regularSweep } = coordination;
  const sweep = new Sweep({
    tasks: queries, queue, clock,
    ...(regularSweep === undefined ? {} : {
      regular: regularSweep, isDue: dueTasks({ readSide, clock, incarnation, isDead, isWorkedOn: (taskId) => worker.isWorkingOn(taskId) }),
    }),
  });
  const timers = new Timers(timerQueries(db), clock, fireTimer({
    tasks, queue, store, clock, stageTimeoutMs: config['stage-timeout'], attemptLimit: config['attempt-limit'],
  }), coordination.timerSpread);
  const watches = new TaskWatches({ queries, feed, signals, clock });
  const following = new AbortController();
  const stopping = new AbortController();

  feed.listen((events) => { metrics.onEvents(events, (id) => tasks.peek(id)); });
  feed.listen(logEvents(logger));
  feed.listen((events) => { worker.onEvents(events); });
  feed.listen(removeDeletedImages(finish, logger));
  // A task that was only created waits for nothing yet.
  feed.listen((events) => { if (events.some(({ event }) => event.payload.$case !== 'taskCreated')) timers.arm(); });
  let swept = Promise.resolve();
  const sweepFiles = (): void => {
    swept = sweepStore(finish, following.signal).then(() => undefined, (err: unknown) => {
      if (!following.signal.aborted) logger.warn({ err }, 'the store could not be swept; the next sweep tries again');
    });
  };
  if (works) {
    dispatchJobs(feed, queue);
    void worker.run();
    sweep.start();
    sweepFiles();
  }
  const sweeping = works ? setInterval(() => { void swept.then(sweepFiles); }, sweepStoreEveryMs) : undefined;
  const followed = feed.run(following.signal).catch(onDeath);
  timers.arm();

  const imageRows = imageQueries(db);
  const open = openImage(imageRows, store);
  const services: Services = {
    tasks: taskService({
      tasks, queries, readSide, board: new ProgressBoard(signals), watches, clock, findImage,
      rules: { ...rules, regions: [...regions.keys()] },
      defaultTtlMs: config['task-ttl'],
      previewImport: importPreviews({ sources, ...inspection, missingForConversion: rules.missingForConversion }),
    }),
    images: imageService({ images, queries: imageRows, readSide, open, clock }),
    events: eventService({
      log, history, heads: headQueries(db), readSide, stopping: stopping.signal, storedRecords: backend.storedRecords,
    }),
  };
  return {
    serving: config.roles.includes('api') ? { services, open } : undefined,
    get runningCount() { return worker.runningCount; },
    get openWatches() { return watches.count; },
    async stopWork(graceMs) {
      watches.stop();
      stopping.abort();
      sweep.stop();
      await Promise.all([timers.stop(), worker.stop(graceMs)]);
    },
    closing: [
      { name: 'the queries', run: () => db.close() },
      { name: 'appends that wait for the log', run: () => log.close() },
      { name: 'the goodbye to other nodes', run: () => { coordination.leave(); } },
      { name: 'connections to sources, destinations and regions', run: () => Promise.all([sources.close(), destinations.close(), regionClient.close()]) },
      {
        name: 'those who follow the log',
        run: () => {
          clearInterval(sweeping);
          following.abort();
          return Promise.all([followed, swept]);
        },
      },
    ],
  };
}
