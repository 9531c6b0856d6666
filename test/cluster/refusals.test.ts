import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';
import { connect } from 'nats';

import { askNats } from '../../scripts/servers/ask-nats.ts';
import { freePorts } from '../../scripts/servers/free-ports.ts';
import { createServerProcess } from '../../scripts/servers/server-process.ts';
import { runProcess } from '../acceptance/harness/lehr-process.ts';
import { makeFolder, serveArgs } from '../acceptance/harness/lehr-server.ts';
import type { Settings } from '../acceptance/harness/lehr-server.ts';
import { Cluster } from './harness/cluster.ts';
import type { Servers } from './harness/cluster.ts';
import { TopicHand } from './harness/topic-hand.ts';
import { Turnstile } from './harness/turnstile.ts';
import { canCluster, sharedServers } from './harness/with-servers.ts';
import { patienceMs, within } from './harness/within.ts';

/** A way in which a node cannot start. */
interface Obstacle {
  readonly name: string;
  /** Puts it in the way of the nodes of a cluster that is not used yet; gives the settings of the node that is to meet it. */
  readonly prepare?: (t: ExecutionContext, cluster: Cluster, servers: Servers) => Promise<Settings>;
  readonly settings?: Settings;
  readonly exitCode: 1 | 2;
  /** What it says, after `lehr serve: `: what is wrong and what to do. */
  readonly says: RegExp;
}

/** A topic as a node makes it, but for these. */
const topicWith = (config: Readonly<Record<string, string>>, partitions?: number): Obstacle['prepare'] => async (_t, cluster, servers) => {
  await new TopicHand(servers, cluster).make(config, partitions);
  return {};
};

/** A stream in NATS by the name that a node gives to its own. */
const foreignStream: Obstacle['prepare'] = async (_t, { topic }, { nats }) => {
  const connection = await connect({ servers: nats });
  await (await connection.jetstreamManager()).streams.add({ name: topic.replaceAll('.', '-'), subjects: [`${topic}.jobs.*`] });
  await connection.close();
  return {};
};

async function closedPort(): Promise<string> {
  const [port = 0] = await freePorts(1);
  return `127.0.0.1:${port}`;
}

/** A nats-server without JetStream. */
async function startPlainNats(t: ExecutionContext): Promise<string> {
  const folder = await makeFolder(t);
  const address = await closedPort();
  const port = Number(address.split(':')[1]);
  const server = createServerProcess({
    name: 'nats-server', command: ['nats-server', '-a', '127.0.0.1', '-p', String(port)],
    logFile: path.join(folder, 'server.log'), discard: undefined,
    isReady: async () => (await askNats(port)).jetstream !== true,
  });
  t.teardown(() => server.kill());
  await server.start();
  return address;
}

/** Starting takes a processor for a second; some of these then wait for what does not come. */
const turnstile = new Turnstile(4);

const obstacles: readonly Obstacle[] = [
  {
    name: 'no Kafka', exitCode: 1, prepare: async () => ({ 'kafka-brokers': await closedPort() }),
    says: /^Kafka cannot be reached at 127\.0\.0\.1:\d+ \(kafka-brokers\): .*ECONNREFUSED/,
  },
  {
    name: 'no NATS', exitCode: 1, prepare: async () => ({ 'nats-servers': await closedPort() }),
    says: /^nats-servers: no connection to 127\.0\.0\.1:\d+: .*\. Start NATS, or correct nats-servers\.$/,
  },
  {
    name: 'NATS without JetStream', exitCode: 1, prepare: async (t) => ({ 'nats-servers': await startPlainNats(t) }),
    says: /^nats-servers: 127\.0\.0\.1:\d+ runs without JetStream\. Switch it on/,
  },
  {
    name: 'another number of partitions', exitCode: 1, prepare: topicWith({}, 5),
    says: /^The topic test\.\w+ has 5 partitions, and kafka-partitions says 12\. Set kafka-partitions to 5, or name another topic\.$/,
  },
  {
    name: 'a topic that is compacted', exitCode: 1, prepare: topicWith({ 'cleanup.policy': 'compact' }),
    says: /^The topic test\.\w+ has cleanup\.policy=compact, which may lose events\. Set it with: kafka-configs\.sh .* --add-config cleanup\.policy=delete$/,
  },
  {
    name: 'a topic that forgets what is old', exitCode: 1, prepare: topicWith({ 'retention.ms': '604800000' }),
    says: /^The topic test\.\w+ has retention\.ms=604800000, which may lose events\. Set it with: .* --add-config retention\.ms=-1$/,
  },
  {
    name: 'a NATS stream of another kind', exitCode: 1, prepare: foreignStream,
    says: /^kafka-topic: the NATS stream test-\w+ is not the one of this service: retention is "limits", not "workqueue"\. Remove it \(nats stream rm test-\w+\)/,
  },
  {
    name: 'the data folder of an embedded server', exitCode: 1,
    prepare: async (_t, cluster) => {
      await mkdir(cluster.folderOf('node'));
      await writeFile(path.join(cluster.folderOf('node'), 'log.db'), '');
      return {};
    },
    says: /^data-dir: \S+ holds the log of an embedded server \(log\.db\).*\. Give this node a folder of its own\.$/,
  },
  {
    name: 'a password file that is not there', exitCode: 1,
    settings: { 'kafka-sasl': 'plain', 'kafka-username': 'lehr', 'kafka-password-file': '/nonexistent/password' },
    says: /^kafka-password-file: \/nonexistent\/password cannot be read: ENOENT/,
  },
  { name: 'no brokers', exitCode: 2, settings: { 'kafka-brokers': '' }, says: /^kafka-brokers: log kafka needs it/m },
];

if (canCluster) {
  for (const { name, prepare, settings, exitCode, says } of obstacles) {
    test(`with ${name} a node does not start, and says what to do`, async (t) => {
      const servers = await sharedServers(t);
      const cluster = await Cluster.make(t, servers);
      const met = await prepare?.(t, cluster, servers);
      const start = () => runProcess(cluster.argsOf('node', { ...settings, ...met }));
      const { code, stdout, stderr } = await turnstile.pass(() => within(patienceMs, 'it ends', start()));
      const lines = stderr.split('\n').filter((line) => line.startsWith('lehr serve: ')).map((line) => line.slice('lehr serve: '.length));
      t.deepEqual({ code, stdout, said: lines.length }, { code: exitCode, stdout: '', said: 1 });
      t.regex(lines[0] ?? '', says);
    });
  }

  test('a data folder belongs to one process, and that of a node to no embedded server', async (t) => {
    const cluster = await Cluster.make(t, await sharedServers(t));
    const node = await turnstile.pass(() => cluster.start('node'));
    const second = await turnstile.pass(() => runProcess(cluster.argsOf('node')));
    t.is(second.code, 1);
    t.regex(second.stderr, /^lehr serve: data-dir \S+ is in use by process \d+ on \S+\. Stop it, or choose another data-dir\.$/m);
    t.is((await node.api.listTasks({})).tasks.length, 0, 'the first one is not disturbed');
    await node.kill('SIGKILL');
    const embedded = await turnstile.pass(() => runProcess(serveArgs(cluster.folderOf('node'))));
    t.is(embedded.code, 1);
    t.regex(embedded.stderr, /^lehr serve: data-dir: \S+ belongs to a node of a cluster \(node\.json\)\. Set log to kafka, or give this server a folder of its own\.$/m);
  });
}
