import type { StreamState } from '../../src/domain/fold.ts';
import { decodeCanonical } from '../../src/log/canonical.ts';
import { openRecord } from '../../src/log/envelope.ts';
import { hasReached } from '../../src/log/position.ts';
import { Cluster } from './cluster.ts';
import { scheduleChaos, strikeRunner } from './chaos.ts';
import { checkEnd } from './final-checks.ts';
import { checkAccepted, CloneChecks } from './live-checks.ts';
import { scheduleLivenessChecks } from './liveness-checks.ts';
import { Owner } from './owner.ts';
import { makePlan } from './plan.ts';
import { Random } from './random.ts';
import { Scheduler } from './scheduler.ts';
import { SimDisk } from './sim-disk.ts';
import { SimLog } from './sim-log.ts';
import { World, type Judge, type Violation } from './world.ts';

/** After the last fault every task must have ended and expired within so much virtual time. */
const settleLimitMs = 6 * 3_600_000;

/** A simulation that takes more steps than this goes in circles. */
const stepLimit = 400_000;

/** After everything has ended, nodes get so much virtual time to catch up and to sweep. */
const quietMs = 120_000;

export interface SimulationOptions {
  /** The log's rule; the real one unless a test wants to see that a wrong one is noticed. */
  readonly judge?: Judge;
}

/** What one seed came to. `violation` undefined: every invariant held. */
export interface Report {
  readonly seed: number;
  readonly violation: Violation | undefined;
  /** The last steps, oldest first. */
  readonly trace: readonly string[];
  readonly steps: number;
  readonly virtualMs: number;
  /** How often what happened: crashes, take-overs, events by name … */
  readonly counts: ReadonlyMap<string, number>;
}

/**
 * Runs the service's own domain, streams, projector, feed, timers, jobs, worker and import over simulated ports under
 * virtual time, with crashes, pauses, lost and doubled messages, and checks the invariants of design §2 on the way and at
 * the end. The same seed gives the same run.
 */
export async function simulateSeed(seed: number, { judge }: SimulationOptions = {}): Promise<Report> {
  const random = new Random(seed);
  const scheduler = new Scheduler();
  const plan = makePlan(random);
  const world = new World(plan, random, scheduler);
  const log = new SimLog(world, judge);
  const disk = new SimDisk();
  const cluster = new Cluster(world, log, disk);
  const owners = plan.tasks.map((task) => new Owner(world, cluster, task));
  const ownersById = new Map(owners.map((owner) => [owner.promises.taskId, owner]));
  disk.onExported = (uri) => owners.find(({ destination }) => destination === uri)?.onExported();
  const cloneChecks = new CloneChecks(world, log);
  log.onAccepted = (record, before, after) => {
    checkAccepted(world, log, record, before, after);
    cloneChecks.onAccepted(record, after);
    const event = openRecord(decodeCanonical(record.canonical));
    if (event === undefined) return;
    ownersById.get(after.id)?.onEvent(event.payload.$case);
    if (event.payload.$case === 'attemptStarted') ownersById.get(clonedBy(log, after) ?? '')?.onClone();
    if (event.payload.$case === 'stageCompleted') strikeRunner(world, cluster, after);
  };
  scheduleChaos(world, cluster, log);
  scheduleLivenessChecks(world, cluster, log);
  try {
    const allExpired = (): boolean => owners.every(({ promises }) => log.streams.get(`tasks/${promises.taskId}`)?.state.status === 'expired');
    await runUntil(world, () => !world.faulty && allExpired(), plan.faultsEndMs + settleLimitMs);
    for (const { promises: { taskId } } of owners) {
      const status = log.streams.get(`tasks/${taskId}`)?.state.status;
      if (status !== 'expired') world.violate('every task ends and expires', `${taskId} is ${String(status)} long after the last fault`);
    }
    await settle(world, cluster, log);
    if (world.violation === undefined) {
      checkEnd(world, log, disk, [...cluster.nodes.values()].map(({ db }) => db), owners.map(({ promises }) => promises));
    }
  } finally {
    cluster.close();
  }
  return { seed, violation: world.violation, trace: world.trace, steps: scheduler.steps, virtualMs: scheduler.nowMs, counts: world.counts };
}

/** The image that a task is to clone, where that is there. */
function clonedBy(log: SimLog, { kind, state }: StreamState): string | undefined {
  if (kind !== 'task' || state.status === 'absent' || state.spec.kind?.$case !== 'cloneImage') return undefined;
  const { imageId } = state.spec.kind.value;
  return log.streams.get(`images/${imageId}`)?.state.status === 'live' ? imageId : undefined;
}

/** Lets what is under way end, sweeps once more, and waits until every node has seen everything. */
async function settle(world: World, cluster: Cluster, log: SimLog): Promise<void> {
  const { scheduler } = world;
  const quietAtMs = scheduler.nowMs + quietMs;
  await runUntil(world, () => scheduler.nowMs >= quietAtMs, quietAtMs);
  const [node] = cluster.ready;
  if (node === undefined) return world.violate('nodes come back', 'none is ready after the last fault');
  const sweep = { done: false };
  void node.sweepStore().then(() => { sweep.done = true; });
  const nodes = [...cluster.nodes.values()];
  const everywhere = (): boolean => nodes.every(({ applied }) => hasReached(applied.position, log.end));
  await runUntil(world, () => sweep.done && everywhere(), scheduler.nowMs + quietMs);
  if (!sweep.done || !everywhere()) world.violate('every node catches up with the log', `swept: ${sweep.done}`);
}

async function runUntil(world: World, done: () => boolean, limitMs: number): Promise<void> {
  const { scheduler } = world;
  for (let step = 0; world.violation === undefined && !done(); step += 1) {
    if (scheduler.nowMs > limitMs) return;
    if (scheduler.steps > stepLimit) return world.violate('nothing goes in circles', `${scheduler.steps} steps`);
    if (!await scheduler.step()) return;
  }
}
