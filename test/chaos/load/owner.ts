import { setTimeout as sleep } from 'node:timers/promises';

import { Random } from '../../simulation/random.ts';
import type { Recorded } from '../history.ts';
import type { ChaosClient, Door } from './chaos-client.ts';
import type { PlannedCalls } from './plan-task.ts';
import type { Wanted } from './wanted.ts';

/** A create without an answer is sent again so often, each time after a pause of so long at most; a cancel less often. */
const createTries = 40;
const cancelTries = 5;
const longestPauseMs = 2_000;

/** How often another node is asked than the one that answered last. */
const otherNodeShare = 0.7;

/** What owners work with. */
export interface OwnerDeps {
  readonly client: ChaosClient;
  /** The nodes that take calls now, paused or not. */
  readonly doors: () => readonly Door[];
}

/** The owner of one task: does what the plan says, asking one node now and another one then. */
export class Owner {
  readonly #deps: OwnerDeps;
  readonly #plan: PlannedCalls;
  readonly #wanted: Wanted;
  readonly #random: Random;
  /** Who answered last. */
  #answeredBy = '';

  constructor(deps: OwnerDeps, plan: PlannedCalls, wanted: Wanted) {
    this.#deps = deps;
    this.#wanted = wanted;
    this.#plan = plan;
    this.#random = new Random(plan.seed);
  }

  /** Resolves with the task's id when all is done; undefined where no node answered. */
  async run(): Promise<string | undefined> {
    const { requestId, twinAfterMs, repeatAfterMs, reuseAfterMs, cancelAfterMs } = this.#plan;
    const { cancelTwice, readsAfterMs, glancesAfterMs } = this.#plan;
    const { client } = this.#deps;
    const create = (): Promise<Recorded | undefined> => this.#create(this.#wanted);
    const [created, twin] = await Promise.all([create(), this.#later(twinAfterMs, create)]);
    const id = idOf(created) ?? idOf(twin);
    if (id === undefined) return undefined;
    const cancel = (): Promise<unknown> => this.#ask(cancelTries, (door) => client.cancel(door, requestId, id));
    const read = (): Promise<unknown> => this.#ask(1, (door) => client.get(door, requestId, id, 'with the newest token'));
    const glance = (): Promise<unknown> => this.#ask(1, (door) => client.get(door, requestId, id, 'without a token'));
    await Promise.all([
      this.#later(repeatAfterMs, create),
      this.#later(reuseAfterMs, () => this.#create(this.#wanted.other)),
      this.#later(cancelAfterMs, () => Promise.all([cancel(), ...(cancelTwice ? [cancel()] : [])]).then(read)),
      ...readsAfterMs.map((afterMs) => this.#later(afterMs, read)),
      ...glancesAfterMs.map((afterMs) => this.#later(afterMs, glance)),
    ]);
    return id;
  }

  #create({ content, request }: Omit<Wanted, 'other'>): Promise<Recorded | undefined> {
    const { requestId, ttlSeconds } = this.#plan;
    const ttl = ttlSeconds === undefined ? undefined : { seconds: BigInt(ttlSeconds), nanos: 0 };
    return this.#ask(createTries, (door) => this.#deps.client.create(door, requestId, content, { ...request, ttl }));
  }

  async #later<T>(afterMs: number | undefined, work: () => Promise<T>): Promise<T | undefined> {
    if (afterMs === undefined) return undefined;
    await sleep(afterMs);
    return work();
  }

  /** Asks any node, and again while there is no answer; gives the last call, if there was a node to ask. */
  async #ask(tries: number, ask: (door: Door) => Promise<Recorded>): Promise<Recorded | undefined> {
    let last: Recorded | undefined;
    for (let tried = 0; tried < tries; tried += 1) {
      const doors = this.#deps.doors();
      if (doors.length > 0) {
        last = await ask(this.#pick(doors));
        if (last.operation.answer.kind !== 'unknown') {
          this.#answeredBy = last.operation.node;
          return last;
        }
      }
      if (tried + 1 < tries) await sleep(this.#random.between(100, longestPauseMs));
    }
    return last;
  }

  /** Mostly another node than the one that answered last, which is the one that may not know yet. */
  #pick(doors: readonly Door[]): Door {
    const others = doors.filter(({ name }) => name !== this.#answeredBy);
    return this.#random.pick(others.length > 0 && this.#random.chance(otherNodeShare) ? others : doors);
  }
}

function idOf(created: Recorded | undefined): string | undefined {
  return created?.operation.answer.kind === 'ok' ? created.operation.answer.seen.id : undefined;
}
