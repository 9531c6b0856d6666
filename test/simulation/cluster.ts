import type { Database } from 'better-sqlite3';
import { projections } from '../../projections/all.ts';
import { openProjections } from '../../src/projector/open-projections.ts';
import { Life, type Machine } from './life.ts';
import { checkJudgement } from './liveness-checks.ts';
import type { SimDisk } from './sim-disk.ts';
import type { SimLog } from './sim-log.ts';
import { SimHeartbeats } from './sim-heartbeats.ts';
import { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** All nodes of a simulation, and who follows whom. */
export class Cluster {
  readonly machines: readonly Machine[];
  /** The newest life of each machine. */
  readonly nodes = new Map<Machine, SimNode>();
  readonly #lives = new Map<string, Life>();
  readonly #world: World;
  readonly #log: SimLog;
  readonly #disk: SimDisk;
  readonly #heartbeats: SimHeartbeats;
  readonly #databases: Database[] = [];

  constructor(world: World, log: SimLog, disk: SimDisk) {
    this.#world = world;
    this.#log = log;
    this.#disk = disk;
    this.#heartbeats = new SimHeartbeats(world);
    this.machines = Array.from({ length: world.plan.nodes }, (_, index) => ({ node: `n${index + 1}`, offsetMs: index * 40 }));
    for (const machine of this.machines) this.#start(machine, this.#newDatabase());
  }

  /** Nodes that serve callers. */
  get ready(): readonly SimNode[] {
    return [...this.nodes.values()].filter(({ ready, life }) => ready && life.alive && !life.paused);
  }

  lifeOf(incarnation: string): Life | undefined {
    return this.#lives.get(incarnation);
  }

  get lives(): Iterable<Life> {
    return this.#lives.values();
  }

  /** Whether a newer life of its machine was started. */
  isReplaced(life: Life): boolean {
    return this.nodes.get(life.machine)?.life !== life;
  }

  /** A newer life of the machine, beside an older one that is only thought to be dead. */
  replace(machine: Machine): void {
    this.#start(machine, this.#newDatabase());
  }

  /** Stops a node as on SIGTERM and starts it again. */
  async restart(machine: Machine): Promise<void> {
    const node = this.nodes.get(machine);
    if (node?.ready !== true || !node.life.alive) return;
    this.#world.count('shutdown');
    await node.stop();
    this.#start(machine, node.db);
  }

  close(): void {
    for (const db of this.#databases) db.close();
  }

  #start(machine: Machine, db: Database): void {
    const { random, scheduler } = this.#world;
    const life = new Life(this.#world, machine, [...this.#lives.values()].filter((other) => other.machine === machine).length + 1);
    this.#lives.set(life.incarnation, life);
    life.onCrash = () => {
      if (this.nodes.get(machine)?.life !== life) return;
      const delayMs = random.pick([100, 2_000, 20_000]);
      // The process died; its tables are as it left them, or the disk died with it.
      scheduler.at(delayMs, () => { this.#start(machine, random.chance(0.2) ? this.#newDatabase() : db); });
    };
    const node = new SimNode(this.#world, life, {
      log: this.#log, disk: this.#disk, db, heartbeats: this.#heartbeats.of(life),
      onJudgedDead: (other) => { checkJudgement(this.#world, this, life, other); },
    });
    this.nodes.set(machine, node);
    this.#world.note(life.incarnation, 'starts');
    void node.start();
  }

  #newDatabase(): Database {
    const db = openProjections(':memory:', projections);
    this.#databases.push(db);
    return db;
  }
}
