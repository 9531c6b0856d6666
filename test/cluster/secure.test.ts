import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';
import type { Kafka, KafkaConfig } from 'kafkajs';

import { startKafka } from '../../scripts/servers/start-kafka.ts';
import type { KafkaCluster } from '../../scripts/servers/start-kafka.ts';
import type { Certificates } from '../../scripts/servers/make-certificates.ts';
import { startNats } from '../../scripts/servers/start-nats.ts';
import { startTcpProxy } from '../../scripts/servers/tcp-proxy.ts';
import type { TcpProxy } from '../../scripts/servers/tcp-proxy.ts';
import { rawDisk } from '../acceptance/harness/disk-images.ts';
import { runProcess } from '../acceptance/harness/lehr-process.ts';
import { makeFolder } from '../acceptance/harness/lehr-server.ts';
import type { LehrServer, Settings } from '../acceptance/harness/lehr-server.ts';
import { gives, startSource } from '../acceptance/harness/source-server.ts';
import { awaitTask, createImport } from '../acceptance/harness/tasks.ts';
import { Teardowns } from '../acceptance/harness/teardowns.ts';
import { runLehr } from '../cli/run-lehr.ts';
import { kafkaClient, makeTopic, send, tlsOf as sslOf } from '../servers/kafka-client.ts';
import { uniqueTopic } from '../servers/unique-topic.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { Cluster } from './harness/cluster.ts';
import { canCluster } from './harness/with-servers.ts';
import { patienceMs, within } from './harness/within.ts';

/** Words that stand nowhere but in the passwords. */
const kafkaPassword = 'zebra-crossing-41';
const natsPassword = 'purple-giraffe-17';
const wrongPassword = 'yellow-mongoose-99';

const sasl = { mechanism: 'scram-sha-512', username: 'lehr', password: kafkaPassword } as const;

const image = rawDisk(64 * 1024, 1);

const shared = new Teardowns();
let cluster: Cluster;
let kafka: KafkaCluster;
/** Clients are told of the broker through it. */
const proxies: TcpProxy[] = [];
/** Settings with which a node gets in everywhere. */
let fit: Settings;
let rightFile: string;
let wrongFile: string;
let natsOfAnotherKind: { readonly url: string; readonly credentialsFile: string };

const tlsOf = (system: 'kafka' | 'nats', { caFile, clientCertFile, clientKeyFile }: Certificates): Settings => ({
  [`${system}-tls`]: 'on', [`${system}-tls-ca`]: caFile, [`${system}-tls-cert`]: clientCertFile, [`${system}-tls-key`]: clientKeyFile,
});

async function passwordFile(password: string): Promise<string> {
  const file = path.join(await makeFolder(shared), 'password');
  await writeFile(file, `${password}\n`, { mode: 0o600 });
  return file;
}

/** A client of the broker; without a retry, since a refusal is an answer. */
function secureClient(ssl: KafkaConfig['ssl'], password?: string): Kafka {
  const login = password === undefined ? {} : { sasl: { ...sasl, password } };
  return kafkaClient(kafka.brokers, { ...(ssl === undefined ? {} : { ssl }), ...login, retry: { retries: 0 } });
}

async function listsTopics(ssl: KafkaConfig['ssl'], password?: string): Promise<'listed' | 'refused'> {
  const admin = secureClient(ssl, password).admin();
  try {
    await admin.connect();
    await admin.listTopics();
    return 'listed';
  } catch {
    return 'refused';
  } finally {
    await admin.disconnect();
  }
}

/** The node works, and what it says at the level of debug has no password in it. */
async function assertWorks(t: ExecutionContext, node: LehrServer): Promise<void> {
  const source = await startSource(t);
  const { id } = await createImport(node.api, source.serve('/disk', gives(image.bytes)));
  t.is((await awaitTask(node.api, id)).state, 'STATE_SUCCEEDED');
  const metrics = await (await fetch(`${node.httpUrl}/metrics`)).text();
  t.deepEqual(await node.kill('SIGTERM'), { code: 0, signal: null });
  t.notRegex(`${metrics}${node.process.stdout()}${node.process.stderr()}`, /zebra|giraffe|mongoose/);
}

const refusals: readonly { readonly name: string; readonly settings: () => Settings; readonly says: RegExp }[] = [
  {
    name: 'a wrong password for Kafka', settings: () => ({ 'kafka-password-file': wrongFile }),
    says: /^Kafka cannot be reached at \S+ \(kafka-brokers\): .*(?:authentication|credentials)/i,
  },
  {
    name: 'an authority that did not sign the broker\'s certificate', settings: () => ({ 'kafka-tls-ca': '' }),
    says: /^Kafka cannot be reached at \S+ \(kafka-brokers\): .*certificate/,
  },
  {
    name: 'a wrong password for NATS', settings: () => ({ 'nats-password-file': wrongFile }),
    says: /^nats-username, nats-password-file, nats-credentials: 127\.0\.0\.1:\d+ refuses them\.$/,
  },
  {
    name: 'no TLS for a NATS that wants it',
    settings: () => ({ 'nats-tls': 'off', 'nats-tls-ca': '', 'nats-tls-cert': '', 'nats-tls-key': '' }),
    says: /^nats-tls: 127\.0\.0\.1:\d+ wants TLS\. Set nats-tls to on\.$/,
  },
];

if (canCluster && hasTool('openssl')) {
  test.before(async () => {
    const advertised = async (_: number, port: number): Promise<string> => {
      const proxy = await startTcpProxy(port);
      shared.teardown(() => proxy.stop());
      proxies.push(proxy);
      return `localhost:${proxy.port}`;
    };
    const [brokers, nats, other] = await Promise.all([
      startKafka({ security: { tls: 'mutual', sasl }, advertised }),
      startNats({ tls: 'mutual', auth: { username: 'lehr', password: natsPassword } }),
      startNats({ auth: 'credentials' }),
    ]);
    kafka = brokers;
    for (const server of [kafka, nats, other]) shared.teardown(() => server.stop());
    natsOfAnotherKind = { url: other.url, credentialsFile: other.credentialsFile! };
    rightFile = await passwordFile(kafkaPassword);
    wrongFile = await passwordFile(wrongPassword);
    fit = {
      'log-level': 'debug', 'kafka-partitions': '2', ...tlsOf('kafka', kafka.certificates!), ...tlsOf('nats', nats.certificates!),
      'kafka-sasl': sasl.mechanism, 'kafka-username': sasl.username, 'kafka-password-file': rightFile,
      'nats-username': 'lehr', 'nats-password-file': await passwordFile(natsPassword),
    };
    cluster = await Cluster.make(shared, { kafka: kafka.brokers.join(','), nats: nats.url }, fit);
  });

  test.afterEach.always((t) => cluster.explain(t));
  test.after.always(() => shared.run());

  test.serial('the broker asks for TLS, a certificate and a password, and is told of as a proxy', async (t) => {
    t.deepEqual(kafka.brokers, proxies.map(({ port }) => `localhost:${port}`));
    const { ca, cert, key } = sslOf(kafka);
    t.is(await listsTopics({ ca, cert, key }, kafkaPassword), 'listed');
    t.is(await listsTopics({ ca, cert, key }, wrongPassword), 'refused');
    t.is(await listsTopics({ ca, cert, key }), 'refused');
    t.is(await listsTopics({ ca }, kafkaPassword), 'refused');
    t.is(await listsTopics(undefined, kafkaPassword), 'refused');
  });

  test.serial('verify --kafka logs in over TLS with what lehr.yaml and the variables of the server say', async (t) => {
    const topic = uniqueTopic();
    const client = secureClient(sslOf(kafka), kafkaPassword);
    await makeTopic(client, topic);
    await send(client, topic, 'hello');
    const config = path.join(await makeFolder(t), 'lehr.yaml');
    const tls = Object.entries(tlsOf('kafka', kafka.certificates!)).map(([name, value]) => `${name}: ${value}`);
    await writeFile(config, [
      'log: kafka', `kafka-topic: ${topic}`, ...tls, 'kafka-sasl: scram-sha-512', 'kafka-username: lehr', 'nats-servers: nats-1:4222', 'store-dir: /shared', '',
    ].join('\n'));
    const run = (file: string, ...args: readonly string[]) => runLehr(
      ['verify', '--kafka', kafka.brokers.join(), '--config', config, ...args], { env: { LEHR_KAFKA_PASSWORD_FILE: file } },
    );
    const found = await run(rightFile);
    t.is(found.stdout.split('\n')[1], '     0-0                 0  the message here is no record: it has no header ce_id', found.stderr);
    const refused = await run(wrongFile);
    t.deepEqual([refused.exitCode, refused.stdout], [4, '']);
    t.true(refused.stderr.startsWith(`lehr: Kafka refuses to show the topic ${topic}: `), refused.stderr);
    t.regex(refused.stderr, /: .*authentication.*\. The user must be one that the brokers know/i);
    t.notRegex(refused.stderr, /zebra|mongoose/);
    const plain = await run(rightFile, '--kafka-tls', 'off');
    t.is(plain.exitCode, 2, 'certificates without TLS say nothing');
    const away = await run(rightFile, '--kafka-tls-ca', '/nonexistent/authority.pem');
    t.deepEqual([away.exitCode, away.stderr.split(':')[1]], [2, ' kafka-tls-ca']);
  });

  test.serial('a node works over TLS and with passwords, which it tells nobody', async (t) => {
    await assertWorks(t, await cluster.start('node'));
  });

  test.serial('a node works with credentials for NATS', async (t) => {
    await assertWorks(t, await cluster.start('node', {
      'nats-servers': natsOfAnotherKind.url, 'nats-credentials': natsOfAnotherKind.credentialsFile,
      'nats-username': '', 'nats-password-file': '', 'nats-tls': 'off', 'nats-tls-ca': '', 'nats-tls-cert': '', 'nats-tls-key': '',
    }));
  });

  for (const { name, settings, says } of refusals) {
    test.serial(`with ${name} a node does not start, and says what to do without the password`, async (t) => {
      const { code, stdout, stderr } = await within(patienceMs, 'the node ends', runProcess(cluster.argsOf('node', settings())));
      t.deepEqual({ code, stdout }, { code: 1, stdout: '' });
      // A connection that is given up at this moment may still put its word into the log.
      const last = stderr.trimEnd().split('\n').filter((line) => !line.startsWith('{')).at(-1)!;
      t.regex(last, /^lehr serve: /);
      t.regex(last.slice('lehr serve: '.length), says);
      t.notRegex(stderr, /zebra|giraffe|mongoose/);
    });
  }
}
