import test from 'ava';
import { connect } from 'nats';

import { startNats } from '../../scripts/servers/start-nats.ts';
import type { NatsServer } from '../../scripts/servers/start-nats.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { Gate } from '../acceptance/harness/gate.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { scrape } from '../acceptance/harness/scrape.ts';
import { gives, startSource, trickles } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTask, awaitTasks, createImport } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { sharedKafka } from '../servers/shared-kafka.ts';
import { Cluster } from './harness/cluster.ts';
import { eventually } from './harness/eventually.ts';
import { runnerOf } from './harness/runner-of.ts';
import { canCluster } from './harness/with-servers.ts';
import { patienceMs, within } from './harness/within.ts';

/** NATS is away for longer than the 8 s of silence after which a node counts as dead. */
const awayMs = 10_000;

/** Tasks that a node works on at once. */
const transfers = 3;

const image = rawDisk(64 * 1024, 1);

const shared = new Teardowns();
let nats: NatsServer;
let cluster: Cluster;
let nodes: readonly [LehrServer, LehrServer];
let source: SourceServer;

/** Imports that stand in the middle of their fetch, as many as have room on all nodes, and their gate. */
async function fillNodes(name: string): Promise<{ readonly ids: readonly string[]; readonly gate: Gate }> {
  const gate = new Gate(image.bytes);
  const url = source.serve(`/${name}`, gate.behaviour);
  const tasks = await Promise.all(Array.from({ length: nodes.length * transfers }, () => createImport(nodes[0].api, url)));
  const ids = tasks.map(({ id }) => id);
  await Promise.all(ids.map((id) => runnerOf(nodes, id)));
  return { ids, gate };
}

/** Waits until every node says whether it is connected to NATS. */
async function connected(expected: 0 | 1): Promise<void> {
  await Promise.all(nodes.map(({ httpUrl }) =>
    eventually('lehr_nats_connected', async () => (await scrape(httpUrl)).get('lehr_nats_connected'), (value) => value === expected)));
}

/** What became of tasks: state and attempts of each. */
async function ends(ids: readonly string[]): Promise<readonly string[]> {
  return (await awaitTasks(nodes[1].api, ids)).map(({ state, attempt }) => `${state} ${attempt}`);
}

const firstAttempts = (ids: readonly string[]): readonly string[] => ids.map(() => 'STATE_SUCCEEDED 1');

if (canCluster) {
  test.before(async (t) => {
    nats = await startNats();
    shared.teardown(() => nats.stop());
    source = await startSource(shared);
    cluster = await Cluster.make(shared, { kafka: await sharedKafka(t), nats: nats.url }, { transfers: String(transfers) });
    nodes = await cluster.startAll('a', 'b');
  });

  test.afterEach.always((t) => cluster.explain(t));
  test.after.always(() => shared.run());

  test.serial('while NATS is away attempts go on, tasks are worked on and canceled, and nobody is taken for dead', async (t) => {
    // Each takes two seconds, so that a few of them fill the time.
    const steady = source.serve('/steady', trickles(image.bytes, 32 * 1024));
    const { ids: held, gate } = await fillNodes('held');
    // Room for others, and so the nodes see a cancel of what another runs.
    const { runner, others } = await runnerOf(nodes, held[0]!);
    await nats.kill();
    const awayFromMs = performance.now();
    await connected(0);
    t.true((await others[0]!.api.cancelTask({ id: held[0]! })).task?.cancelRequested);
    t.is((await awaitTask(runner.api, held[0]!)).state, 'STATE_CANCELED');

    for (let round = 0; performance.now() - awayFromMs < awayMs; round += 1) {
      const { id } = await createImport(nodes[round % 2]!.api, steady);
      t.deepEqual(await ends([id]), ['STATE_SUCCEEDED 1']);
    }
    await nats.start();
    await connected(1);
    // Signals come again: what one runs the other tells of.
    const { id: told } = await createImport(nodes[0].api, source.serve('/told', trickles(image.bytes, 32 * 1024)));
    const { others: [listener] } = await runnerOf(nodes, told);
    for await (const { message } of listener!.api.watchTasks({})) if (message?.$case === 'progress' && message.value.id === told) break;
    t.deepEqual(await ends([told]), ['STATE_SUCCEEDED 1']);

    gate.open();
    t.deepEqual(await ends(held.slice(1)), firstAttempts(held.slice(1)), 'no attempt was disturbed');
    for (const node of nodes) {
      t.notRegex(node.process.stderr(), /a node is gone/);
      t.is((await fetch(`${node.httpUrl}/readyz`)).status, 200);
    }
  });

  const losses = [
    { name: 'the stream of jobs is removed', lose: removeStream },
    { name: 'all that JetStream stored is lost', lose: () => nats.empty() },
  ];
  for (const { name, lose } of losses) {
    test.serial(`tasks that wait run although ${name}`, async (t) => {
      const { ids: held, gate } = await fillNodes(name.replaceAll(' ', '-'));
      const waiting = await Promise.all(Array.from({ length: 20 }, (_, index) =>
        createImport(nodes[index % 2]!.api, source.serve(`/waiting-${index}`, gives(image.bytes)))));
      await lose();
      gate.open();
      const ids = [...held, ...waiting.map(({ id }) => id)];
      t.deepEqual(await within(patienceMs, 'all have run', ends(ids)), firstAttempts(ids));
    });
  }
}

async function removeStream(): Promise<void> {
  const connection = await connect({ servers: nats.url });
  const manager = await connection.jetstreamManager();
  const name = cluster.topic.replaceAll('.', '-');
  const { state } = await manager.streams.info(name);
  if (state.messages === 0) throw new Error('there are no jobs to lose');
  await manager.streams.delete(name);
  await connection.close();
}
