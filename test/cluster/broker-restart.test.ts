import test from 'ava';
import type { ExecutionContext } from 'ava';

import { startKafka } from '../../scripts/servers/start-kafka.ts';
import type { KafkaCluster } from '../../scripts/servers/start-kafka.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { Gate } from '../acceptance/harness/gate.ts';
import { servedImages } from '../acceptance/harness/inventory.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { Refused } from '../acceptance/harness/refused.ts';
import { gives, startSource } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTasks, createImport, importFrom } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { sharedNats } from '../servers/shared-nats.ts';
import { Cluster } from './harness/cluster.ts';
import { insist } from './harness/insist.ts';
import { linkedChains } from './harness/linked-chains.ts';
import { canCluster } from './harness/with-servers.ts';

/** Callers on each node. */
const callersEach = 2;

/** Each of them goes on until so many of its tasks were accepted before the broker died, and again since it is back. */
const enough = 3;

const image = rawDisk(64 * 1024, 1);

const shared = new Teardowns();
let kafka: KafkaCluster;
let cluster: Cluster;
let nodes: readonly [LehrServer, LehrServer];
let source: SourceServer;

/** What callers were told. */
interface Told {
  /** By request id, the task that was acknowledged. */
  readonly accepted: Map<string, string>;
  /** Request ids of which nobody knows. */
  readonly unknown: Set<string>;
  /** Answers that no fault of a broker excuses. */
  readonly wrong: string[];
}

/** The reason of a refusal; `UNAVAILABLE` whatever the reason is; undefined: success. */
async function refusal(work: Promise<unknown>): Promise<string | undefined> {
  try {
    await work;
    return undefined;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return error.refusal.code === 'UNAVAILABLE' ? 'UNAVAILABLE' : error.refusal.reason ?? error.refusal.code;
  }
}

interface Caller {
  readonly name: string;
  /** The node that it asks to create tasks, and the one that it asks about them. */
  readonly own: LehrServer;
  readonly other: LehrServer;
  readonly url: string;
  readonly goesOn: (accepted: number) => boolean;
}

/** One caller: has tasks accepted, reads each back and cancels some on the other node, until it is told to stop. */
async function call({ name, own, other, url, goesOn }: Caller, told: Told): Promise<void> {
  let accepted = 0;
  for (let number = 0; goesOn(accepted); number += 1) {
    const requestId = `${name}-${number}`;
    try {
      const { task, readToken } = await own.api.createTask({ ...importFrom(url), requestId });
      told.accepted.set(requestId, task!.id);
      accepted += 1;
      const read = await refusal(other.api.getTask({ id: task!.id, readToken }));
      if (read !== undefined && read !== 'UNAVAILABLE') told.wrong.push(`GetTask: ${read}`);
      if (number % 2 === 0) continue;
      const canceled = await refusal(other.api.cancelTask({ id: task!.id }));
      if (canceled !== undefined && !['UNAVAILABLE', 'TASK_ENDED', 'TASK_COMMITTED'].includes(canceled)) told.wrong.push(`CancelTask: ${canceled}`);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.refusal.code !== 'UNAVAILABLE') told.wrong.push(`CreateTask: ${error.message}`);
      told.unknown.add(requestId);
    }
  }
}

/** Every acknowledged task has ended, once and well, on both nodes alike; a task of which nobody knew is made by asking again. */
async function assertNothingIsLost(t: ExecutionContext, { accepted, unknown }: Told, url: string): Promise<void> {
  for (const requestId of unknown) {
    const { task } = await insist(() => nodes[0].api.createTask({ ...importFrom(url), requestId }));
    accepted.set(requestId, task!.id);
  }
  const ids = [...accepted.values()];
  t.is(new Set(ids).size, ids.length);
  const ended = await awaitTasks(nodes[1].api, ids);
  t.deepEqual(ended.filter(({ state }) => state !== 'STATE_SUCCEEDED' && state !== 'STATE_CANCELED'), []);
  const chains = await Promise.all(nodes.map(({ api }) => linkedChains(api)));
  t.deepEqual(chains[1], chains[0]);
  const served = await servedImages(nodes[0]);
  for (const { id, state } of ended) t.is(served.get(id), state === 'STATE_SUCCEEDED' ? image.digest : undefined);
}

if (canCluster) {
  test.before(async (t) => {
    kafka = await startKafka();
    shared.teardown(() => kafka.stop());
    source = await startSource(shared);
    cluster = await Cluster.make(shared, { kafka: kafka.brokers.join(','), nats: await sharedNats(t) }, { 'kafka-partitions': '4' });
    nodes = await cluster.startAll('a', 'b');
  });

  test.afterEach.always((t) => cluster.explain(t));
  test.after.always(() => shared.run());

  test('while the only broker dies and comes back callers get success or UNAVAILABLE, and nothing is lost', async (t) => {
    const url = source.serve('/quick', gives(image.bytes));
    const gate = new Gate(image.bytes);
    const { id: held } = await createImport(nodes[0].api, source.serve('/held', gate.behaviour));
    await gate.asked;
    const told: Told = { accepted: new Map(), unknown: new Set(), wrong: [] };
    let phase: 'before' | 'away' | 'back' = 'before';
    const warm = Promise.withResolvers<void>();
    const backFrom = new Map<string, number>();
    let warmCallers = 0;
    const callers = nodes.flatMap((own, index) => Array.from({ length: callersEach }, (_, number) => {
      const name = `${index}-${number}`;
      const goesOn = (accepted: number): boolean => {
        if (phase === 'before' && accepted === enough && (warmCallers += 1) === nodes.length * callersEach) warm.resolve();
        if (phase !== 'back') return true;
        if (!backFrom.has(name)) backFrom.set(name, accepted);
        return accepted < backFrom.get(name)! + enough;
      };
      return call({ name, own, other: nodes[1 - index]!, url, goesOn }, told);
    }));
    await Promise.race([warm.promise, Promise.all(callers)]);
    phase = 'away';
    await kafka.nodes[0]!.kill();
    // Reads that promise nothing go on; a refusal would have to know the end of the log.
    t.is((await nodes[1].api.getTask({ id: held })).task?.id, held);
    const refused = refusal(nodes[1].api.cancelTask({ id: '018f0000-0000-7000-8000-000000000000' }));
    t.is(await refused, 'UNAVAILABLE');
    await kafka.nodes[0]!.start();
    phase = 'back';
    await Promise.all(callers);
    gate.open();
    told.accepted.set('held', held);
    t.deepEqual(told.wrong, []);
    t.log(`${told.accepted.size} accepted, ${told.unknown.size} unknown`);
    await assertNothingIsLost(t, told, url);
    for (const { httpUrl } of nodes) t.is((await fetch(`${httpUrl}/readyz`)).status, 200);
  });
}
