import type { StreamState } from '../../src/domain/fold.ts';
import { decodeCanonical, encodeCanonical } from '../../src/log/canonical.ts';
import { formatSequence, parseSequence } from '../../src/log/record.ts';
import type { Cluster } from './cluster.ts';
import type { SimLog } from './sim-log.ts';
import type { World } from './world.ts';

/** Sets the faults of the plan to their times: pauses, lost heartbeats, outages of the log, wrong clocks, shutdowns. */
export function scheduleChaos(world: World, cluster: Cluster, log: SimLog): void {
  const { plan, random, scheduler } = world;
  const times = (count: number, strike: () => void): void => {
    for (let number = 0; number < count; number += 1) scheduler.at(random.between(0, plan.faultsEndMs), strike);
  };
  times(plan.pauses, () => {
    const node = cluster.nodes.get(random.pick(cluster.machines));
    if (node?.life.alive !== true || node.life.paused) return;
    node.life.pause(random.between(1_000, 60_000));
    if (random.chance(0.3)) {
      scheduler.at(random.between(0, 20_000), () => {
        if (node.life.alive && cluster.nodes.get(node.life.machine) === node) cluster.replace(node.life.machine);
      });
    }
  });
  times(plan.deafenings, () => {
    const node = cluster.nodes.get(random.pick(cluster.machines));
    if (node?.life.alive !== true || node.life.paused) return;
    world.count('heartbeats lost');
    node.life.cutOff(random.between(1_000, 60_000));
  });
  times(plan.outages, () => {
    world.count('outage');
    log.outageUntilMs = Math.min(scheduler.nowMs + random.between(100, 40_000), plan.faultsEndMs);
  });
  times(plan.clockSteps, () => {
    const machine = random.pick(cluster.machines);
    const stepMs = random.pick([-1, 1]) * random.pick([500, 30_000, 600_000]);
    world.note(machine.node, `its clock is set by ${stepMs} ms`);
    world.count('clock step');
    machine.offsetMs += stepMs;
  });
  times(plan.strangers, () => {
    const records = random.pick(log.partitions);
    if (records.length > 0) log.arrive(strangerAfter(random.pick(records).canonical));
  });
  times(plan.sweeps, () => {
    const node = cluster.nodes.get(random.pick(cluster.machines));
    if (node?.ready === true && node.life.alive) void node.sweepStore();
  });
  times(plan.shutdowns, () => void cluster.restart(random.pick(cluster.machines)));
}

/** The node whose attempt has just completed a stage stops, and wakes when others may have taken over. */
export function strikeRunner(world: World, cluster: Cluster, { state }: StreamState): void {
  if (state.status !== 'running' || !world.strikes(world.plan.zombieShare)) return;
  const life = cluster.lifeOf(state.incarnation);
  if (life?.alive !== true || life.paused) return;
  world.count('zombie');
  // Not at once: the stage that comes next is under way then.
  world.scheduler.at(world.random.between(0, 60), () => { life.pause(world.random.between(9_000, 90_000)); });
}

/** What a node would write whose log is another one, restored from a backup say: the right revision after another predecessor. */
function strangerAfter(canonical: Uint8Array): Buffer {
  const record = decodeCanonical(canonical);
  const revision = (parseSequence(record.headers.ce_sequence) ?? 0n) + 1n;
  return encodeCanonical({
    ...record, headers: { ...record.headers, ce_sequence: formatSequence(revision), ce_predecessorhash: 'f'.repeat(64) },
  });
}
