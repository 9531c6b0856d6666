import test from 'ava';

import { taskIdOfRequest } from '../../src/api/task-ids.ts';
import { partitionOf } from '../../src/log/kafka/partition-of.ts';
import { messageOf } from '../../src/log/kafka/read-message.ts';
import { formatSequence } from '../../src/log/record.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { eventsOf, story } from '../acceptance/harness/events.ts';
import type { LehrServer } from '../acceptance/harness/lehr-server.ts';
import { refusalOf } from '../acceptance/harness/refused.ts';
import { scrape } from '../acceptance/harness/scrape.ts';
import { gives, startSource } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTask, createImport } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { Cluster } from './harness/cluster.ts';
import type { Servers } from './harness/cluster.ts';
import { eventually } from './harness/eventually.ts';
import { projectionDigests } from './harness/projection-digests.ts';
import { TopicHand } from './harness/topic-hand.ts';
import { canCluster, sharedServers } from './harness/with-servers.ts';

const partitions = 3;

const image = rawDisk(64 * 1024, 1);

const shared = new Teardowns();
let servers: Servers;
let source: SourceServer;
let url: string;
let cluster: Cluster;
let nodes: readonly [LehrServer, LehrServer];

/** A request id whose task lies in this partition, another one for each name. */
function requestIdIn(partition: number, name: string): string {
  for (let number = 0; ; number += 1) {
    const requestId = `${name}-${number}`;
    if (partitionOf(`tasks/${taskIdOfRequest('default', requestId)}`, partitions) === partition) return requestId;
  }
}

/** Why a node says that it is not ready. */
async function reasonsOf({ httpUrl }: LehrServer): Promise<readonly string[]> {
  const response = await fetch(`${httpUrl}/readyz`);
  const { reasons = [] } = await response.json() as { readonly reasons?: readonly string[] };
  return response.status === (reasons.length === 0 ? 200 : 503) ? reasons : [`status ${response.status}`];
}

const metric = async ({ httpUrl }: LehrServer, name: string): Promise<number | undefined> => (await scrape(httpUrl)).get(name);

if (canCluster) {
  test.before(async (t) => {
    servers = await sharedServers(t);
    source = await startSource(shared);
    url = source.serve('/disk', gives(image.bytes));
    cluster = await Cluster.make(shared, servers, { 'kafka-partitions': String(partitions) });
    nodes = await cluster.startAll('a', 'b');
  });

  test.afterEach.always((t) => cluster.explain(t));
  test.after.always(() => shared.run());

  test.serial('an event of a type that this version does not know takes its place in its stream, and is counted', async (t) => {
    const requestId = requestIdIn(1, 'unknown');
    const { id } = await createImport(nodes[0].api, url, { requestId });
    await awaitTask(nodes[0].api, id);
    const before = await eventsOf(nodes[0].api, `images/${id}`);
    await new TopicHand(servers, cluster).write(1, messageOf({
      headers: {
        ce_id: id, ce_owner: 'default', ce_source: '/lehr', ce_specversion: '1.0', ce_time: '2026-01-01T00:00:00.000Z',
        ce_subject: `images/${id}`, ce_sequence: formatSequence(2n), ce_predecessorhash: before[0]!.hash, ce_type: 'lehr.v1.SomethingNew',
      },
      value: Buffer.from('what a later version means by it'),
    }, partitions));
    for (const node of nodes) {
      await eventually('it is counted', () => metric(node, 'lehr_log_unknown_events'), (count) => count === 1);
      t.deepEqual(await reasonsOf(node), []);
      const events = await eventsOf(node.api, `images/${id}`);
      t.deepEqual(events.map(({ type, revision }) => `${revision} ${type}`), ['1 lehr.v1.ImageRegistered', '2 lehr.v1.SomethingNew']);
    }
    t.is((await nodes[1].api.updateImage({ image: { id, name: 'renamed' }, updateMask: ['name'] })).image?.name, 'renamed');
    t.deepEqual(story(await eventsOf(nodes[1].api, `images/${id}`)), ['imageRegistered', 'unknown', 'imageUpdated']);
  });

  test.serial('what is no record halts its partition on every node, and no other, until it is to be passed over', async (t) => {
    const hand = new TopicHand(servers, cluster);
    const [first, second] = nodes;
    const halted = await createImport(first.api, url, { requestId: requestIdIn(0, 'before') });
    await awaitTask(second.api, halted.id);

    const junk = await hand.write(0, { value: Buffer.from('no record') });
    for (const node of nodes) {
      const [reason, ...more] = await eventually('/readyz says so', () => reasonsOf(node), ({ length }) => length > 0);
      t.is(reason, `partition 0 of the log has halted: the message at position ${junk} of the topic is no record: it has no header ce_id`);
      t.deepEqual(more, []);
      t.is(await metric(node, 'lehr_log_partitions_halted'), 1);
      t.is((await fetch(`${node.httpUrl}/healthz`)).status, 200);
    }
    // A record that fits its stream, and whose event cannot be read.
    const good = await createImport(first.api, url, { requestId: requestIdIn(2, 'before') });
    await awaitTask(first.api, good.id);
    const last = (await eventsOf(first.api, `tasks/${good.id}`)).at(-1)!;
    const unreadable = await hand.write(2, messageOf({
      headers: {
        ce_id: good.id, ce_owner: 'default', ce_source: '/lehr', ce_specversion: '1.0', ce_time: '2026-01-01T00:00:00.000Z',
        ce_subject: `tasks/${good.id}`, ce_sequence: formatSequence(last.revision + 1n), ce_predecessorhash: last.hash, ce_type: 'lehr.v1.TaskExpired',
      },
      value: Buffer.from([0xff]),
    }, partitions));
    for (const node of nodes) {
      const reasons = await eventually('/readyz says so', () => reasonsOf(node), ({ length }) => length === 2);
      t.true(reasons[1]?.startsWith('partition 2 of the log has halted: '), reasons[1]);
      t.true(reasons[1]?.includes(`position ${unreadable}`), reasons[1]);
      t.is(await metric(node, 'lehr_log_partitions_halted'), 2);
    }

    // The other partition goes on: accepts, works, and refuses what is not there.
    const going = await createImport(second.api, url, { requestId: requestIdIn(1, 'meanwhile') });
    t.is((await awaitTask(first.api, going.id)).state, 'STATE_SUCCEEDED');
    t.is((await second.api.deleteImage({ id: going.id })).image?.id, going.id);
    const absent = (partition: number): string => taskIdOfRequest('default', requestIdIn(partition, 'absent'));
    t.is((await refusalOf(first.api.cancelTask({ id: absent(1) }))).reason, 'TASK_NOT_FOUND');
    // In a halted one nobody knows what there is, but for what was known before.
    t.is((await refusalOf(first.api.cancelTask({ id: absent(0) }))).code, 'UNAVAILABLE');
    t.is((await second.api.getTask({ id: halted.id })).task?.state, 'STATE_SUCCEEDED');

    // What is behind the position is read by nodes that are told to pass over it, and by no others.
    for (const node of nodes) t.deepEqual(await node.kill('SIGTERM'), { code: 0, signal: null });
    const half = await cluster.start('a', { 'kafka-skip': unreadable });
    t.deepEqual((await reasonsOf(half)).map((reason) => reason.slice(0, reason.indexOf(':'))), ['partition 0 of the log has halted']);
    t.is(await metric(half, 'lehr_log_partitions_halted'), 1);
    await half.kill('SIGTERM');
    const skip = { 'kafka-skip': `${junk},${unreadable}` };
    const again = await Promise.all([cluster.start('a', skip), cluster.start('new', skip)]);
    for (const node of again) {
      t.deepEqual(await reasonsOf(node), []);
      t.is(await metric(node, 'lehr_log_partitions_halted'), 0);
    }
    for (const partition of [0, 2]) {
      const { id } = await createImport(again[0].api, url, { requestId: requestIdIn(partition, 'after') });
      t.is((await awaitTask(again[1].api, id)).state, 'STATE_SUCCEEDED');
    }
    for (const node of again) await node.kill('SIGTERM');
    const digests = ['a', 'new'].map((name) => projectionDigests(cluster.folderOf(name)));
    t.deepEqual(digests, digests.map(() => digests[0]!));
  });
}
