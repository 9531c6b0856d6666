import { readdirSync } from 'node:fs';
import path from 'node:path';

import test from 'ava';

import { loadConfig } from '../../src/config.ts';
import { silenceLimitMs } from '../../src/jobs/liveness.ts';
import { firstConnectLimitMs } from '../../src/jobs/nats/nats-link.ts';
import { sweepEveryMs } from '../../src/jobs/sweep.ts';
import { appendLimitMs } from '../../src/log/kafka/kafka-event-log.ts';
import { readerGiveUpMs } from '../../src/log/kafka/topic-reader.ts';
import { settings } from '../../src/settings.ts';
import { messagesOf } from './messages-of.ts';
import { tableUnder, textOf } from './tables.ts';

const root = path.resolve(import.meta.dirname, '../..');
const page = textOf('docs/reference/cluster.md');
const guide = textOf('docs/how-to/run-a-cluster.md');

const sources = new Map(readdirSync(path.join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !/^(?:gen|cli)\//.test(name))
  .map((name) => [name, messagesOf(textOf(path.join('src', name)))]));

const messagesUnder = (heading: string): readonly string[] => tableUnder(page, heading).map(([cell = '']) => cell.replace(/^`(.*)`$/, '$1'));

const refusals = ['Settings', 'Files and folders', 'Kafka', 'NATS'];

for (const heading of [...refusals, 'Last words', 'Reasons of /readyz', 'Warnings']) {
  test(`every message under "${heading}" is one that the source has, word by word`, (t) => {
    const messages = messagesUnder(heading);
    t.true(messages.length >= 3);
    for (const message of messages) t.true([...sources.values()].some((source) => source.includes(message)), message);
  });
}

/** What makes a refusal, in the files that refuse to start a node of a cluster. */
const refusal = /(?:(?:new (?:TopicUnfitError|WrongJobStreamError|NatsUnavailableError|Error)|problems\.push)\(\s*(?:tls === undefined\s*\? )?|say: \((?:server)?\) => )[`'](.+?)[`'](?=[,)\n ])/g;

/** The files, and from where on they speak of the cluster. */
const refusing: Readonly<Record<string, string>> = {
  'config.ts': 'function clusterChecks', 'compose/cluster.ts': '', 'compose/setting-files.ts': '', 'log/kafka/ensure-topic.ts': '',
  'jobs/nats/connect-nats.ts': '', 'jobs/nats/ensure-job-stream.ts': '', 'jobs/nats/nats-names.ts': '', 'jobs/node-identity.ts': '',
};

/** Said to the server itself. */
const internal = ['the server stops'];

for (const [name, from] of Object.entries(refusing)) {
  test(`every refusal of src/${name} has a row`, (t) => {
    const source = sources.get(name) ?? '';
    const found = [...source.slice(source.indexOf(from)).matchAll(refusal)].map(([, message = '']) => message);
    t.true(found.length > 0);
    const documented = refusals.flatMap(messagesUnder);
    t.deepEqual(found.filter((message) => !documented.includes(message) && !internal.includes(message)), []);
  });
}

test('what is to be alerted on are metrics of the service', (t) => {
  const metrics = tableUnder(textOf('docs/reference/metrics.md'), 'Metrics of the service').map(([cell = '']) => cell.replaceAll('`', ''));
  const named = [...`${page}${guide}`.matchAll(/\blehr_\w+/g)].map(([name]) => name.replace(/_bucket$/, ''));
  t.true(named.length >= 6);
  t.deepEqual(named.filter((name) => !metrics.includes(name)), []);
});

test('the settings that the guide shows are taken as they stand', (t) => {
  const [, yaml = ''] = /```yaml\n([^]*?)```/.exec(guide) ?? [];
  const flags = yaml.trim().split('\n').map((line) => `--${line.replace(/: +/, '=')}`);
  t.is(loadConfig(flags, {}).log, 'kafka');
  const named = [...`${page}${guide}`.matchAll(/`((?:kafka|nats)-[a-z-]+)(?=[:`])/g)].map(([, name = '']) => name);
  t.deepEqual(named.filter((name) => !Object.hasOwn(settings, name)), []);
});

test('the unit file of a node leaves the signals to it and waits for the shared folder', (t) => {
  const [, unit = ''] = /```ini\n([^]*?)```/.exec(guide) ?? [];
  const ofOne = /```ini\n([^]*?)```/.exec(textOf('docs/how-to/run-as-a-service.md'))?.[1] ?? '';
  const [, storeDir = ''] = /^store-dir: (.+)$/m.exec(guide) ?? [];
  t.regex(unit, new RegExp(`^RequiresMountsFor=${storeDir}$`, 'm'));
  t.regex(unit, new RegExp(`^ReadWritePaths=${storeDir}$`, 'm'));
  const own = ['Description', 'After', 'RequiresMountsFor', 'ExecStart', 'ReadWritePaths', 'RestartSec'];
  const rest = (text: string): readonly string[] => text.split('\n').filter((line) => !own.includes(line.split('=')[0] ?? ''));
  t.deepEqual(rest(unit), rest(ofOne));
});

test('the topic that the guide has made beforehand is the one that a node would make', (t) => {
  const source = sources.get('log/kafka/ensure-topic.ts') ?? '';
  const [, required = ''] = /const required[^{]*\{([^}]*)\}/.exec(source) ?? [];
  const wanted = [...required.matchAll(/'([\w.]+)': '([\w-]+)'/g)].map(([, name, value]) => `${name ?? ''}=${value ?? ''}`);
  const made = [...guide.matchAll(/--config ([\w.]+=[\w-]+)/g)].map(([, pair = '']) => pair);
  t.is(wanted.length, 4);
  t.deepEqual(made.toSorted(), [...wanted, 'min.insync.replicas=2'].toSorted());
});

test('the times that the pages name are those of the source', (t) => {
  const seconds = (ms: number): string => `${ms / 1_000} s`;
  t.true(guide.includes(`at most ${seconds(appendLimitMs)}; then calls`));
  t.true(guide.includes(`After ${seconds(readerGiveUpMs)} without a broker`));
  t.true(guide.includes(`hear nothing from it for ${seconds(silenceLimitMs)} and`));
  t.true(page.includes(`it was \`silent\` for ${seconds(silenceLimitMs)}`));
  t.true(page.includes(`Nobody answers within ${seconds(firstConnectLimitMs)}`));
  t.true(guide.includes(`within about ${seconds(sweepEveryMs)}`));
});

test('README.md starts a node as the guide does', (t) => {
  const [, line = ''] = /```sh\n(npx lehr serve --log kafka .+)\n```/.exec(textOf('README.md')) ?? [];
  t.true(guide.includes(`\n${line}\n`));
  t.is(loadConfig(line.replace('npx lehr serve ', '').split(' '), {}).log, 'kafka');
});
