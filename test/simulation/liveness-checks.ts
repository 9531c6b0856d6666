import { heartbeatEveryMs, silenceLimitMs } from '../../src/jobs/liveness.ts';
import type { Cluster } from './cluster.ts';
import type { Life } from './life.ts';
import type { SimLog } from './sim-log.ts';
import type { World } from './world.ts';

/** All nodes are asked for their judgement of each other so often. */
const askEveryMs = 1_000;

/** After so much silence, or hearing, a judgement must have settled. */
const settledMs = silenceLimitMs + 2 * heartbeatEveryMs;

/**
 * So long after the last fault no task waits for a runner that is dead: the judgement, a sweep and the way of a job. It is less
 * than what an attempt has before its timer gives it up, so that this is not what ends it.
 */
const takeOverLimitMs = 50_000;

/** A node has judged an incarnation dead. It may be wrong only where heartbeats were lost, or a newer life was started beside it. */
export function checkJudgement(world: World, cluster: Cluster, judge: Life, incarnation: string): void {
  const other = cluster.lifeOf(incarnation);
  if (other?.alive !== true) return;
  if (cluster.machines.length === 1) return world.violate('one process at a time', `${incarnation} lives beside ${judge.incarnation}`);
  world.count('the living judged dead');
  if (cluster.isReplaced(other) || losesHeartbeats(world) || !other.isUndisturbedFor(settledMs)) return;
  world.violate('who is heard is not judged dead', `${incarnation} by ${judge.incarnation}`);
}

/** Looks at the judgements of all nodes while things go wrong and for a while after, and at the tasks of the dead at the end. */
export function scheduleLivenessChecks(world: World, cluster: Cluster, log: SimLog): void {
  const { plan, scheduler } = world;
  if (plan.nodes === 1) return;
  const endMs = plan.faultsEndMs + takeOverLimitMs;
  const firstAskedMs = new Map<string, number>();
  const look = (): void => {
    for (const judge of cluster.ready) {
      for (const other of cluster.lives) {
        const pair = `${judge.life.incarnation} ${other.incarnation}`;
        const judgement = judge.isDead(other.incarnation);
        if (!firstAskedMs.has(pair)) firstAskedMs.set(pair, scheduler.nowMs);
        if (scheduler.nowMs - (firstAskedMs.get(pair) ?? 0) >= settledMs) checkSilence(world, judge.life, other, judgement);
      }
    }
    if (scheduler.nowMs < endMs) scheduler.at(askEveryMs, look);
  };
  scheduler.at(askEveryMs, look);
  scheduler.at(endMs, () => { checkTakeOver(world, cluster, log); });
}

/** Who is dead is judged dead, by every node that has heard itself all the time and has looked at it for long enough. */
function checkSilence(world: World, judge: Life, other: Life, judgement: boolean): void {
  if (judgement || losesHeartbeats(world) || !judge.isUndisturbedFor(settledMs) || !other.isDeadFor(settledMs)) return;
  world.violate('who is silent is judged dead', `${other.incarnation} by ${judge.incarnation}`);
}

function losesHeartbeats({ plan, scheduler }: World): boolean {
  return plan.lostHeartbeatShare > 0 && scheduler.nowMs < plan.faultsEndMs + settledMs;
}

/** Where a node was up all the while and had room, no task waits for a runner that died before. */
function checkTakeOver(world: World, cluster: Cluster, log: SimLog): void {
  const isSomebodyThere = cluster.ready.some(({ life }) => life.isUndisturbedFor(takeOverLimitMs - 5_000));
  if (!isSomebodyThere || world.plan.transfers < 4) return;
  for (const { state } of log.streams.values()) {
    if (state.status !== 'running' || cluster.lifeOf(state.incarnation)?.isDeadFor(takeOverLimitMs) !== true) continue;
    world.violate('the tasks of the dead are taken over', `${state.id} of ${state.incarnation}`);
  }
}
