import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { freePorts } from '../../scripts/servers/free-ports.ts';
import type { Fault } from '../../src/gen/lehr/v1/event_service.ts';
import { TaskChain } from '../contract/task-chain.ts';
import { honestStory } from '../log/kafka/audit/honest-story.ts';
import { writtenTopic } from '../log/kafka/written-topic.ts';
import type { WrittenTopic } from '../log/kafka/written-topic.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { runLehr, runProcess, startLehr } from './run-lehr.ts';

const argsFor = ({ settings }: WrittenTopic): readonly string[] => ['verify', '--kafka', settings.brokers.join(), '--topic', settings.topic];

/** A topic with a stream of three records, of which the second is missing. */
async function brokenTopic(t: ExecutionContext): Promise<WrittenTopic & { readonly chain: TaskChain }> {
  const topic = await writtenTopic(t, 1);
  const chain = new TaskChain();
  const lines = ['1', '2', '3'].map((name) => {
    const record = chain.candidate();
    chain.advance(record);
    return topic.line(name, record);
  });
  await topic.write(lines.filter(({ name }) => name !== '2'));
  return { ...topic, chain };
}

if (hasTool('kafka')) {
  test.serial('verify --kafka audits a topic with no server, and counts what is void', async (t) => {
    const topic = await writtenTopic(t);
    const { records, heads, voids } = honestStory();
    await topic.write(records.map((record, index) => topic.line(String(index), record)));
    t.deepEqual(await runProcess(argsFor(topic)), {
      exitCode: 0, stderr: '', stdout: `verified 30 events of 5 streams (and ${voids} void records): the chain holds\n`,
    });
    const { stdout, ...rest } = await runLehr([...argsFor(topic), '--json']);
    t.deepEqual(rest, { exitCode: 0, stderr: '' });
    t.deepEqual(JSON.parse(stdout), { events: '30', streams: '5', voidRecords: String(voids) });
    const [subject = ''] = heads.keys();
    const one = await runLehr([...argsFor(topic), subject]);
    t.regex(one.stdout, /^verified 6 events of 1 stream \(and \d+ void records\): the chain holds\n$/);
  });

  test.serial('verify --kafka names what is wrong and exits with 1', async (t) => {
    const topic = await brokenTopic(t);
    t.deepEqual(await runLehr(argsFor(topic)), {
      exitCode: 1, stderr: '',
      stdout: [
        'POSITION  STREAM                                      REVISION  WHAT IS WRONG',
        `     0-1  ${topic.chain.subject}         3  revision 2 was expected here: it is missing or comes later`,
        '1 fault among 2 events of 1 stream (and 0 void records)',
        '',
      ].join('\n'),
    });
    const { stdout, exitCode } = await runLehr([...argsFor(topic), '--json']);
    const { faults } = JSON.parse(stdout) as { readonly faults: readonly Fault[] };
    t.is(exitCode, 1);
    t.deepEqual(faults.map(({ position, subject, revision }) => [position, subject, String(revision)]), [['0-1', topic.chain.subject, '3']]);
  });

  test.serial('verify --kafka passes over what every node does, and says when there are more faults than it names', async (t) => {
    const topic = await brokenTopic(t);
    const junk = { key: null, headers: {}, value: Buffer.from('hello'), partition: 0 };
    await topic.write(Array.from({ length: 120 }, (_, index) => ({ ...junk, name: String(index) })));
    const skipped = Array.from({ length: 20 }, (_, index) => `0-${index + 2}`).join();
    const { stdout } = await runLehr([...argsFor(topic), '--kafka-skip', skipped]);
    t.is(stdout.split('\n').at(-2), '101 faults among 2 events of 1 stream (and 0 void records, 20 passed over); the first 100 are shown');
  });

  test.serial('verify --kafka tells a topic and a stream that are not there from everything else', async (t) => {
    const topic = await writtenTopic(t);
    const [broker = ''] = topic.settings.brokers;
    t.deepEqual(await runLehr(['verify', '--kafka', broker, '--topic', 'test.nowhere']), {
      exitCode: 3, stdout: '',
      stderr: `lehr: There is no topic test.nowhere at ${broker}, or this user may not see it. See that its name is right.\n`,
    });
    t.deepEqual(await runLehr([...argsFor(topic), 'tasks/nobody']), {
      exitCode: 3, stdout: '',
      stderr: `lehr: there is no stream tasks/nobody in the topic ${topic.settings.topic}\nstreams are called tasks/ID and images/ID\n`,
    });
  });

  test.serial('verify --kafka shows on a terminal how far it is, and leaves it clean', async (t) => {
    const topic = await writtenTopic(t);
    const { records } = honestStory();
    await topic.write(records.map((record, index) => topic.line(String(index), record)));
    const wrapper = ['python3', path.join(import.meta.dirname, 'run-in-terminal.py'), '80'];
    const { ended } = startLehr(argsFor(topic), { wrapper, env: { NO_COLOR: '1' } });
    const { exitCode, stdout } = await ended;
    t.is(exitCode, 0);
    t.regex(stdout, new RegExp(`^\\rreading the topic: \\d+%, \\d+ of ${records.length} messages\\x1b\\[K`));
    t.regex(stdout, /\r\x1b\[Kverified 30 events of 5 streams .*\r\n$/);
  });
}

test.serial('brokers that cannot be reached are told from everything else', async (t) => {
  const [port = 0] = await freePorts(1);
  const ran = await runLehr(['verify', '--kafka', `127.0.0.1:${port}`]);
  t.deepEqual(ran, {
    exitCode: 5, stdout: '',
    stderr: `lehr: The topic lehr.events cannot be read at 127.0.0.1:${port}: Connection error: connect ECONNREFUSED 127.0.0.1:${port}. `
      + 'See that the brokers are up and can be reached from here, and whether they ask for TLS.\n',
  });
});

test.serial('Ctrl-C ends verify --kafka although the broker says nothing', async (t) => {
  const server = createServer((socket) => { socket.on('error', () => undefined); });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const lehr = startLehr(['verify', '--kafka', `127.0.0.1:${(server.address() as AddressInfo).port}`]);
  await once(server, 'connection');
  lehr.child.kill('SIGINT');
  t.deepEqual(await lehr.ended, { exitCode: 130, stdout: '', stderr: 'lehr: interrupted\n' });
});

const helpHint = 'lehr verify --help lists the options';

const wrong: readonly (readonly [args: readonly string[], ...stderr: readonly string[]])[] = [
  [['--topic', 'lehr.events'], '--topic says nothing without --kafka', 'write: lehr verify --kafka HOST:PORT …'],
  [['--kafka', 'nowhere'], '--kafka: "nowhere" must be addresses such as kafka-1:9092,kafka-2:9092', helpHint],
  [['--kafka', 'a:1', '--topic', 'a b'], '--topic: "a b" must be words of letters, digits, _ and - with dots between, such as lehr.events', helpHint],
  [['--kafka', 'a:1', '--kafka-sasl', 'plain'], 'kafka-sasl: needs kafka-username and kafka-password-file too', helpHint],
  [['--kafka', 'a:1', '--config', '/nowhere.yaml'],
    '/nowhere.yaml: cannot be read: ENOENT: no such file or directory, open \'/nowhere.yaml\'', helpHint],
];

for (const [args, message, hint] of wrong) {
  test.serial(`lehr verify ${args.join(' ')} is refused with what to write instead`, async (t) => {
    t.deepEqual(await runLehr(['verify', ...args]), { exitCode: 2, stdout: '', stderr: `lehr: ${message ?? ''}\n${hint ?? ''}\n` });
  });
}
