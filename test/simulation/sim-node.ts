import type { Database } from 'better-sqlite3';
import { historyQueries } from '../../projections/history/queries.ts';
import { projections } from '../../projections/all.ts';
import { taskQueries, type TaskQueries } from '../../projections/tasks/queries.ts';
import { timerQueries, type Timer } from '../../projections/timers/queries.ts';
import { cloneHandler } from '../../src/handlers/clone.ts';
import { exportHandler } from '../../src/handlers/export.ts';
import { importHandler } from '../../src/handlers/import.ts';
import type { RegionClient } from '../../src/regions/region-client.ts';
import { dispatchJobs } from '../../src/jobs/dispatcher.ts';
import { dueTasks } from '../../src/jobs/due-tasks.ts';
import type { Heartbeats } from '../../src/jobs/heartbeats.ts';
import { Liveness } from '../../src/jobs/liveness.ts';
import { MemoryJobQueue } from '../../src/jobs/memory/memory-job-queue.ts';
import { MemorySignals } from '../../src/jobs/memory/memory-signals.ts';
import type { JobQueue } from '../../src/jobs/job-queue.ts';
import { Sweep, sweepEveryMs } from '../../src/jobs/sweep.ts';
import { clusterSpreadMs, Timers } from '../../src/jobs/timers.ts';
import { hasReached, type Position } from '../../src/log/position.ts';
import { AppliedPosition } from '../../src/projector/applied-position.ts';
import { Feed } from '../../src/projector/feed.ts';
import { foldStream } from '../../src/projector/fold-stream.ts';
import { Projector } from '../../src/projector/projector.ts';
import { findImageIn } from '../../src/streams/find-image.ts';
import { imageStreams, type ImageStreams } from '../../src/streams/image-streams.ts';
import { ProjectionLaggingError, readWaitMs, type ReadSide } from '../../src/streams/read-side.ts';
import { AppendUnknownError } from '../../src/streams/streams.ts';
import { taskStreams, type TaskStreams } from '../../src/streams/task-streams.ts';
import { AttemptOverError } from '../../src/worker/attempt-over.ts';
import { fireTimer } from '../../src/worker/fire-timer.ts';
import { removeDeletedImages, sweepStore } from '../../src/worker/janitor.ts';
import type { FinishDeps } from '../../src/worker/finish-task.ts';
import { Worker } from '../../src/worker/worker.ts';
import { FailureError } from '../../src/domain/failures.ts';
import type { Life } from './life.ts';
import { simPool, SimSources } from './sim-bytes.ts';
import { SimDestinations } from './sim-destinations.ts';
import { SimStore, type SimDisk } from './sim-disk.ts';
import { SimLogHandle, type SimLog } from './sim-log.ts';
import type { World } from './world.ts';

/** What a shutdown gives to running attempts. */
const graceMs = 3_000;

/** Clones are of this region. */
const noRegions: RegionClient = {
  describe: () => Promise.reject(new TypeError('the simulation has one region')),
  close: () => Promise.resolve(),
};

/** Errors that say what the outside did, and are none of the service's own. */
export function isExpected(cause: unknown): boolean {
  return cause instanceof AppendUnknownError || cause instanceof ProjectionLaggingError
    || cause instanceof FailureError || cause instanceof AttemptOverError;
}

/** What a node finds outside, beside its own life. */
export interface Surroundings {
  readonly log: SimLog;
  readonly disk: SimDisk;
  readonly db: Database;
  readonly heartbeats: Heartbeats;
  /** Told of each incarnation that this node has judged dead. */
  readonly onJudgedDead: (incarnation: string) => void;
}

/** One life of the whole service, put together as the composition root does, over simulated ports. */
export class SimNode {
  readonly life: Life;
  readonly tasks: TaskStreams;
  readonly images: ImageStreams;
  readonly readSide: ReadSide;
  readonly queries: TaskQueries;
  readonly applied: AppliedPosition;
  readonly finish: FinishDeps;
  /** This node's judgement of another incarnation (design rule 8). */
  readonly isDead: (incarnation: string) => boolean;
  /** Whether it serves callers. */
  ready = false;
  readonly #world: World;
  readonly #projector: Projector;
  readonly #db: Database;
  readonly #log: SimLogHandle;
  readonly #worker: Worker;
  readonly #queue: MemoryJobQueue;
  readonly #timers: Timers;
  readonly #sweep: Sweep;
  /** Undefined: one node alone, for which the lock on the data folder proves every other incarnation dead. */
  readonly #liveness: Liveness | undefined;
  readonly #stopping = new AbortController();

  constructor(world: World, life: Life, shared: Surroundings) {
    const { plan, random } = world;
    const isCluster = plan.nodes > 1;
    const { clock } = life;
    this.#world = world;
    this.life = life;
    this.#db = shared.db;
    this.#log = new SimLogHandle(world, life, shared.log);
    this.#projector = new Projector(shared.db, projections, { stageTimeoutMs: plan.stageTimeoutMs });
    this.applied = new AppliedPosition(this.#places());
    this.readSide = this.#openReadSide();
    this.queries = taskQueries(shared.db);
    this.tasks = taskStreams(this.#log, this.readSide);
    this.images = imageStreams(this.#log, this.readSide);
    const store = new SimStore(world, life, shared.disk);
    const signals = new MemorySignals();
    this.#queue = new MemoryJobQueue(() => { this.#sweep.run(); });
    this.#liveness = isCluster ? new Liveness({ heartbeats: shared.heartbeats, clock, self: life.identity }) : undefined;
    const isDead = (incarnation: string): boolean => {
      const judgement = this.#liveness?.isDead(incarnation) ?? true;
      if (judgement) shared.onJudgedDead(incarnation);
      return judgement;
    };
    this.isDead = isDead;
    this.finish = { tasks: this.tasks, images: this.images, store, clock };
    const sourceOf = (taskId: string): string => {
      const task = this.tasks.peek(taskId);
      return task.status !== 'absent' && task.spec.kind?.$case === 'importImage' ? task.spec.kind.value.sourceUri : '';
    };
    const deps = {
      pool: simPool(world, life, shared.disk, sourceOf), store, sources: new SimSources(world, life), regions: noRegions,
      destinations: new SimDestinations(world, life, shared.disk), onLeftBehind: () => undefined, findImage: findImageIn(this.images), sandbox: { kind: 'none', missing: 'Nothing is converted in a simulation.' } as const,
      maxVirtualBytes: 2n ** 40n, requireRecognisedRaw: false, maxImageBytes: 2 ** 40, maxDecodedRatio: 2000,
    };
    const importImage = importHandler(deps);
    const cloneImage = cloneHandler(deps);
    const exportImage = exportHandler(deps);
    const { stageTimeoutMs, attemptLimit } = plan;
    this.#worker = new Worker({
      ...this.finish, signals, queue: this.#queue,
      handle: async ({ kind }, attempt) => {
        if (kind?.$case === 'importImage') await importImage(kind.value, attempt);
        else if (kind?.$case === 'cloneImage') await cloneImage(kind.value, attempt);
        else if (kind?.$case === 'exportImage') await exportImage(kind.value, attempt);
        else throw new TypeError('a task of no kind');
      },
      node: life.machine.node, incarnation: life.incarnation, isDead,
      attemptLimit, transfers: plan.transfers, stageTimeoutMs,
      log: {
        warn: ({ err }, message) => { this.#expect(err, message); },
        error: ({ err }, message) => { this.#unexpected(err, message); },
      },
    });
    const fire = fireTimer({ ...this.finish, queue: this.#lossyQueue(), stageTimeoutMs, attemptLimit });
    const spread = { spreadMs: isCluster ? clusterSpreadMs : 0, random: () => random.fraction() };
    this.#timers = new Timers(timerQueries(shared.db), clock, (timer) => this.#watchFire(timer, fire), spread);
    const isWorkedOn = (taskId: string): boolean => this.#worker.isWorkingOn(taskId);
    this.#sweep = new Sweep({
      tasks: this.queries, queue: this.#lossyQueue(), clock,
      ...(isCluster ? {
        isDue: dueTasks({ readSide: this.readSide, clock, incarnation: life.incarnation, isDead, isWorkedOn }),
        regular: { everyMs: sweepEveryMs, random: () => random.fraction() },
      } : {}),
    });
    this.#liveness?.onDeath(() => { this.#sweep.run(); });
  }

  /** Comes up: catches up with the log, then takes part. */
  async start(): Promise<void> {
    const { life } = this;
    this.#guard('the projector', this.#project());
    this.#liveness?.start();
    const end = await this.#log.end();
    await this.applied.reached(end, this.#stopping.signal);
    // Under virtual time a turn is a step, and what one sets off is to run to its end.
    const noTurn = (): Promise<void> => Promise.resolve();
    const feed = new Feed(this.#log, (position, signal) => this.applied.reached(position, signal), this.applied.position, noTurn);
    dispatchJobs(feed, this.#lossyQueue());
    feed.listen((events) => { this.#worker.onEvents(events); });
    feed.listen(() => { this.#timers.arm(); });
    feed.listen(removeDeletedImages(this.finish, { warn: ({ err }, message) => { this.#expect(err, message); }, error: () => undefined }));
    this.#guard('the feed', feed.run(this.#stopping.signal));
    this.#guard('the worker', this.#worker.run());
    this.#timers.arm();
    this.#sweep.start();
    this.ready = true;
    life.deliver(0, () => { this.#guard('the sweep of the store', this.sweepStore()); });
  }

  /** Removes what nobody needs, and says so to the world where that fails for no reason of its own. */
  async sweepStore(): Promise<void> {
    await sweepStore(this.finish).then((removed) => {
      if (removed > 0) this.#world.count('swept');
    }, (cause: unknown) => { this.#expect(cause, 'the sweep of the store'); });
  }

  /** Stops as on SIGTERM. */
  async stop(): Promise<void> {
    this.ready = false;
    this.#sweep.stop();
    await Promise.all([this.#timers.stop(), this.#worker.stop(graceMs)]);
    this.#liveness?.stop();
    this.#stopping.abort(new Error('stopped'));
    this.life.leave();
  }

  /** The database of this node's projections. */
  get db(): Database {
    return this.#db;
  }

  async #project(): Promise<void> {
    const { random, plan } = this.#world;
    for await (const batch of this.#log.read(this.applied.position, this.#stopping.signal)) {
      await this.life.wait(random.delayMs(plan.lagMs), this.#stopping.signal);
      this.#projector.apply(batch);
      // What comes twice changes nothing.
      if (random.chance(0.05)) this.#projector.apply(batch);
      this.applied.advance(this.#places());
    }
  }

  #places(): Position {
    return new Map([...this.#projector.places.values()].map(({ partition, offset }) => [partition, BigInt(offset)]));
  }

  #openReadSide(): ReadSide {
    const history = historyQueries(this.#db);
    return {
      fold: (subject) => foldStream(subject, history.stream(subject)),
      reached: async (target) => {
        if (hasReached(this.applied.position, target)) return;
        const deadline = new AbortController();
        const cancel = this.life.deliver(readWaitMs, () => { deadline.abort(new ProjectionLaggingError('too late')); });
        await this.applied.reached(target, deadline.signal).finally(cancel);
      },
    };
  }

  async #watchFire(timer: Timer, fire: (timer: Timer) => Promise<void>): Promise<void> {
    if (timer.dueTimeMs > this.life.clock.now().getTime()) this.#world.violate('timers never fire early', JSON.stringify(timer));
    try {
      await fire(timer);
    } catch (cause) {
      this.#expect(cause, `the timer ${timer.kind}`);
      throw cause;
    }
  }

  /** Loses jobs and doubles them. */
  #lossyQueue(): JobQueue {
    const { plan, random } = this.#world;
    return {
      take: (signal) => this.#queue.take(signal),
      offer: (taskId) => {
        if (this.#world.strikes(plan.doubledJobShare)) this.life.deliver(random.between(0, 20_000), () => { this.#queue.offer(taskId); });
        if (this.#world.strikes(plan.lostJobShare)) this.#world.count('job lost');
        else this.#queue.offer(taskId);
      },
    };
  }

  #guard(what: string, run: Promise<unknown>): void {
    run.catch((cause: unknown) => {
      if (!this.#stopping.signal.aborted) this.#unexpected(cause, what);
    });
  }

  #expect(cause: unknown, what: string): void {
    this.#world.note(this.life.incarnation, `${what}: ${String(cause)}`);
    if (!isExpected(cause)) this.#unexpected(cause, what);
  }

  #unexpected(cause: unknown, what: string): void {
    this.#world.violate('nothing throws what it should not', `${this.life.incarnation}, ${what}: ${cause instanceof Error ? String(cause.stack) : String(cause)}`);
  }
}
