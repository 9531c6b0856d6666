import type { Heartbeat, Heartbeats } from '../../src/jobs/heartbeats.ts';
import type { Life } from './life.ts';
import type { World } from './world.ts';

/** A heartbeat typically takes so long. */
const typicalMs = 5;

interface Listener {
  readonly life: Life;
  readonly hear: (heartbeat: Heartbeat) => void;
}

/** What carries heartbeats among the nodes: loses some, delays others, and takes nothing from and to a node that is cut off. */
export class SimHeartbeats {
  readonly #world: World;
  readonly #listeners = new Set<Listener>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Heartbeats as one node sends and hears them. */
  of(life: Life): Heartbeats {
    return {
      beat: (heartbeat) => { this.#beat(life, heartbeat); },
      listen: (hear) => {
        const listener = { life, hear };
        this.#listeners.add(listener);
        return () => this.#listeners.delete(listener);
      },
    };
  }

  #beat(from: Life, heartbeat: Heartbeat): void {
    const { plan, random, scheduler } = this.#world;
    if (!from.alive || from.isCutOff) return;
    for (const { life: to, hear } of this.#listeners) {
      if (this.#world.strikes(plan.lostHeartbeatShare)) continue;
      scheduler.at(random.delayMs(typicalMs), () => {
        // What arrives at a node that is paused waits there.
        if (!to.isCutOff) to.deliver(0, () => { hear(heartbeat); });
      });
    }
  }
}
