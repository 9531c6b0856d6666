import { spawnSync } from 'node:child_process';

import test from 'ava';

import { sharedKafka } from '../servers/shared-kafka.ts';
import { sharedNats } from '../servers/shared-nats.ts';
import { uniqueTopic } from '../servers/unique-topic.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { readPage } from './page.ts';
import { Reader } from './reader.ts';

/** Blocks that are not run, by first line, and why. */
const notRun: Readonly<Record<string, string>> = {
  'npm run cluster': 'it starts servers of its own; test/cluster starts such clusters',
  'kafka-topics.sh --bootstrap-server 127.0.0.1:9092 --create --topic lehr.events --partitions 12 --replication-factor 3 \\': 'it needs three brokers',
};

const page = readPage('docs/how-to/run-a-cluster.md');
const commands = page.steps.filter((step) => step.kind === 'run');
const isRun = ({ text }: { readonly text: string }): boolean => notRun[text.split('\n', 1)[0] ?? ''] === undefined;

test('the commands of the guide that are not run are still there', (t) => {
  t.deepEqual(commands.filter((step) => !isRun(step)).map(({ text }) => text.split('\n', 1)[0]), Object.keys(notRun));
});

const missing = page.needs.filter((program) => spawnSync('sh', ['-c', `command -v "${program}"`], { stdio: 'ignore' }).status !== 0);
if (missing.length > 0) process.stderr.write(`${missing.join(' and ')} is missing; without it the commands of ${page.name} are not run\n`);

if ([missing.length === 0, hasTool('kafka'), hasTool('nats-server')].every(Boolean)) {
  test('the two nodes of the guide show each other\'s images', async (t) => {
    const [kafka, nats, topic] = [await sharedKafka(t), await sharedNats(t), uniqueTopic()];
    const readers = [await Reader.sitDown(), await Reader.sitDown()] as const;
    const [first, second] = readers;
    t.teardown(() => Promise.all(readers.map((reader) => reader.leave())));
    const here = (text: string): string => text.replaceAll('127.0.0.1:9092', kafka).replaceAll('127.0.0.1:4222', nats)
      .replace('--http-port 8081 --grpc-port 50052', '--http-port 0 --grpc-port 0');
    const starts = page.steps.filter((step) => step.kind === 'serve').map(({ text }) => `export LEHR_KAFKA_TOPIC=${topic}\n${here(text)}`);
    t.is(starts.length, 2);
    await first.serve(starts[0] ?? '');
    await second.serve(`cd ${first.folder}\n${starts[1] ?? ''}`);
    const [grpc = '', http = ''] = (await second.run('echo 127.0.0.1:50051 127.0.0.1:8080')).trim().split(' ');
    const run = commands.filter(isRun);
    t.is(run.length, 1);
    for (const { text } of run) {
      const local = here(text).replaceAll('127.0.0.1:50052', grpc).replaceAll('127.0.0.1:8081', http);
      const output = await first.run(local.replace('lehr verify --kafka', `lehr verify --topic ${topic} --kafka`));
      t.regex(output, /\(web\) succeeded/);
      t.regex(output, /^\S+ +web /m);
      t.regex(output, /TaskSucceeded/);
      t.regex(output, /the chain holds/);
      t.regex(output, /\{"status":"ready"\}/);
    }
    await Promise.all(readers.map((reader) => reader.stop()));
  });
}
