import test from 'ava';
import type { ExecutionContext } from 'ava';

import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { runProcess } from '../acceptance/harness/lehr-process.ts';
import type { LehrServer, Settings } from '../acceptance/harness/lehr-server.ts';
import { gives, startSource } from '../acceptance/harness/source-server.ts';
import type { SourceServer } from '../acceptance/harness/source-server.ts';
import { awaitTask, createImport } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { Cluster } from './harness/cluster.ts';
import type { Servers } from './harness/cluster.ts';
import { TopicHand } from './harness/topic-hand.ts';
import { Turnstile } from './harness/turnstile.ts';
import { canCluster, sharedServers } from './harness/with-servers.ts';
import { patienceMs, within } from './harness/within.ts';

/** Everything lies in the one partition there is. */
const partitions = 1;
const settings: Settings = { 'kafka-partitions': String(partitions) };

const image = rawDisk(64 * 1024, 1);

const shared = new Teardowns();
let servers: Servers;
let source: SourceServer;
const turnstile = new Turnstile(2);

interface Used {
  readonly cluster: Cluster;
  readonly node: LehrServer;
}

/** A node of a cluster of its own that has imported an image. */
async function used(t: ExecutionContext): Promise<Used> {
  const cluster = await Cluster.make(t, servers, settings);
  const node = await turnstile.pass(() => cluster.start('node'));
  const { id } = await createImport(node.api, source.serve('/disk', gives(image.bytes)));
  await awaitTask(node.api, id);
  return { cluster, node };
}

const remedy = / Put the right topic back\. If this one is right, stop all nodes and delete the folder projections in each data-dir: they are built anew from the topic\.$/;

interface LastWord {
  readonly level: number;
  readonly msg: string;
  readonly err: { readonly message: string };
}

/** The node ends by itself, and says at last what is wrong and what to do. */
async function assertStops(t: ExecutionContext, { process }: LehrServer, says: RegExp, rest = remedy): Promise<void> {
  t.deepEqual(await within(patienceMs, 'the node ends', process.ended), { code: 1, signal: null });
  const last = JSON.parse(process.stderr().trimEnd().split('\n').at(-1)!) as LastWord;
  t.deepEqual({ level: last.level, msg: last.msg }, { level: 60, msg: 'the server cannot go on' });
  t.regex(last.err.message, says);
  t.regex(last.err.message, rest);
}

/** A node does not start, and says the same. */
async function assertRefused(t: ExecutionContext, args: readonly string[], says: RegExp, rest = remedy): Promise<void> {
  const { code, stdout, stderr } = await turnstile.pass(() => within(patienceMs, 'the node ends', runProcess(args)));
  t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
  const last = stderr.trimEnd().split('\n').at(-1)!;
  t.true(last.startsWith('lehr serve: '), last);
  t.regex(last.slice('lehr serve: '.length), says);
  t.regex(last, rest);
}

if (canCluster) {
  test.before(async (t) => {
    servers = await sharedServers(t);
    source = await startSource(shared);
  });

  test.after.always(() => shared.run());

  test('a topic that was cut under a running node is noticed, and again when it is started', async (t) => {
    const { cluster, node } = await used(t);
    await new TopicHand(servers, cluster).cut(0, 3);
    await assertStops(t, node, /^The topic test\.\w+ was made anew, cut or restored: it has lost what was before position 0-3\./);
    await assertRefused(t, cluster.argsOf('node', settings), /^The topic test\.\w+ was made anew, cut or restored: /);
  });

  test('a topic that got more partitions under a running node is noticed; projections are not continued with another topic', async (t) => {
    const [{ cluster: grown, node }, { cluster: other, node: otherNode }] = await Promise.all([used(t), used(t)]);
    await otherNode.kill('SIGTERM');
    await new TopicHand(servers, grown).addPartitions(2);
    const more = /^The topic test\.\w+ has 2 partitions now and had 1: records of a stream would lie in two of them\./;
    await assertStops(t, node, more, /Put back a topic with 1 partitions from a copy\.$/);
    // The records of the two topics lie at the same positions.
    const another = /^The topic test\.\w+ was made anew, cut or restored: the record at position 0-\d+ is another one than when it was read\./;
    await assertRefused(t, grown.argsOf('node', { ...settings, 'kafka-topic': other.topic }), another);
  });
}
