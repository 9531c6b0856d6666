import test from 'ava';
import { hashCanonical } from '../../../../src/log/canonical.ts';
import { TopicUnreadableError } from '../../../../src/log/kafka/audit/audit-ranges.ts';
import type { RawRecord } from '../../../../src/log/kafka/audit/audit-record.ts';
import { auditTopic, type TopicAudit } from '../../../../src/log/kafka/audit/audit-topic.ts';
import { storedTopic, type StoredTopicDeps, type TopicProgress } from '../../../../src/log/kafka/audit/stored-topic.ts';
import { freePorts } from '../../../../scripts/servers/free-ports.ts';
import { startKafka } from '../../../../scripts/servers/start-kafka.ts';
import { startTcpProxy, type TcpProxy } from '../../../../scripts/servers/tcp-proxy.ts';
import { TaskChain } from '../../../contract/task-chain.ts';
import { hasTool } from '../../../tooling/has-tool.ts';
import { headsOf, honestStory } from './honest-story.ts';
import { openKafkaLog, SpokenLines } from '../open-kafka-log.ts';
import { meddlingSender } from '../meddling-sender.ts';
import { writtenTopic, type Line, type WrittenTopic } from '../written-topic.ts';

const never = new AbortController().signal;

const read = ({ settings }: Pick<WrittenTopic, 'settings'>, more: Partial<StoredTopicDeps> = {}, signal = never) =>
  storedTopic({ settings, clientId: 'test', log: new SpokenLines(), ...more }, signal);

/** What an audit finds, with the heads by subject. */
async function audited(topic: Pick<WrittenTopic, 'settings'>, more?: Partial<StoredTopicDeps>): Promise<TopicAudit> {
  const audit = await auditTopic(read(topic, more));
  return { ...audit, heads: new Map([...audit.heads].toSorted()) };
}

/** All that lies in a topic, as text: the position and what it is. */
async function placesOf(stored: AsyncIterable<readonly RawRecord[]>): Promise<readonly string[]> {
  const places: string[] = [];
  for await (const batch of stored) {
    for (const raw of batch) {
      const { partition, offset } = raw.kind === 'record' ? raw.record : raw;
      places.push(`${partition}-${offset} ${raw.kind === 'record' ? hashCanonical(raw.record.canonical) : raw.kind}`);
    }
  }
  return places;
}

const inOrder = (places: readonly string[]): readonly string[] =>
  places.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));

if (hasTool('kafka')) {
  test('everything that lies in a topic is read once, in the order of each partition, up to the end that it had', async (t) => {
    const topic = await writtenTopic(t, 4);
    const { records } = honestStory();
    const positions = await topic.write(records.map((record, index) => topic.line(String(index), record)));
    const progress: TopicProgress[] = [];
    const places: string[] = [];
    let isFirst = true;
    const stored = read(topic, { onProgress: (seen) => { progress.push(seen); } });
    for await (const batch of stored) {
      // What comes while it is read is no part of it.
      if (isFirst) await topic.write(records.map((record, index) => topic.line(`later ${index}`, record)));
      isFirst = false;
      const given = batch.map((raw) => (raw.kind === 'record' ? `${raw.record.partition}-${raw.record.offset} ${hashCanonical(raw.record.canonical)}` : raw.kind));
      t.deepEqual(given, inOrder(given));
      places.push(...given);
    }
    t.deepEqual(inOrder(places), inOrder(records.map((record, index) => `${positions.get(String(index)) ?? ''} ${hashCanonical(record)}`)));
    t.deepEqual(progress.at(-1), { messages: BigInt(records.length), total: BigInt(records.length) });
  });

  test('with a subject nothing but the records of that stream is read', async (t) => {
    const topic = await writtenTopic(t);
    const chains = [new TaskChain(), new TaskChain(), new TaskChain()];
    const written: Line[] = [];
    for (let revision = 1; revision <= 4; revision += 1) {
      for (const [index, chain] of chains.entries()) {
        const record = chain.candidate();
        chain.advance(record);
        written.push(topic.line(`${index} ${revision}`, record), topic.line(`${index} ${revision} again`, record));
      }
    }
    await topic.write([...written, { ...written[0]!, name: 'junk', headers: {} }]);
    for (const { subject, head } of chains) {
      const audit = await auditTopic(read(topic, { subject }));
      const heads = new Map([[subject, head]]);
      t.deepEqual(audit, { events: 4n, streams: 1n, voids: 4n, skipped: 0n, faults: [], faultCount: 0n, heads });
    }
    t.deepEqual(await placesOf(read(topic, { subject: 'tasks/nobody' })), []);
  });

  test('lost races and copies are void, and nothing that honest nodes write is a fault', async (t) => {
    const topic = await writtenTopic(t);
    const { records, ...expected } = honestStory();
    await topic.write(records.map((record, index) => topic.line(String(index), record)));
    t.deepEqual(await audited(topic), { ...expected, skipped: 0n, faults: [], faultCount: 0n });
  });

  test('what a node writes verifies, also where records are sent twice, late and in another order', async (t) => {
    const { settings } = await writtenTopic(t, 5);
    const { log } = await openKafkaLog(t, settings, { meddle: (sender) => meddlingSender(sender, 7) });
    const chains = Array.from({ length: 8 }, () => new TaskChain());
    for (let revision = 1; revision <= 5; revision += 1) await Promise.all(chains.map((chain) => chain.append(log)));
    await log.close();
    const { voids, ...audit } = await audited({ settings });
    t.true(voids > 0n);
    t.deepEqual(audit, { events: 40n, streams: 8n, skipped: 0n, faults: [], faultCount: 0n, heads: headsOf(chains) });
  });

  /** What somebody has done to the topic: the lines of a stream of six records, A1 to A6, and what lies in their place. */
  interface Tampering {
    readonly title: string;
    readonly tamper: (lines: Line[], topic: WrittenTopic, chain: TaskChain) => readonly Line[];
    readonly events: bigint;
    readonly voids?: bigint;
    /** The lines that are named, each with the revision that it claims and what is said. */
    readonly faults: readonly (readonly [name: string, revision: bigint, message: RegExp])[];
  }

  const without = (lines: readonly Line[], ...names: readonly string[]): readonly Line[] =>
    lines.filter(({ name }) => !names.includes(name));
  const replace = (lines: readonly Line[], name: string, change: (line: Line) => Line): readonly Line[] =>
    lines.map((line) => (line.name === name ? change(line) : line));
  const withHeader = (name: string, value: string | string[] | undefined) => (line: Line): Line => {
    const { [name]: _, ...headers } = line.headers;
    return { ...line, headers: value === undefined ? headers : { ...headers, [name]: value } };
  };
  const junk: Line = { name: 'junk', key: null, headers: {}, value: Buffer.from('hello'), partition: 0 };

  const tamperings: readonly Tampering[] = [
    { title: 'nothing', tamper: (lines) => lines, events: 6n, faults: [] },
    {
      title: 'a value that was edited', events: 6n,
      tamper: (lines) => replace(lines, 'A3', (line) => ({ ...line, value: Buffer.from(line.value!.toString('latin1').replace('xxxx', 'yyyy'), 'latin1') })),
      faults: [['A4', 4n, /^it follows a record with hash [0-9a-f]{64}, but the one before it has [0-9a-f]{64}: revision 3 or this one was altered$/]],
    },
    {
      title: 'an owner that was edited', events: 6n, tamper: (lines) => replace(lines, 'A3', withHeader('ce_owner', 'mallory')),
      faults: [['A4', 4n, /revision 3 or this one was altered/]],
    },
    {
      title: 'the first record, edited', events: 6n, tamper: (lines) => replace(lines, 'A1', withHeader('ce_time', '2020-01-01T00:00:00.000Z')),
      faults: [['A2', 2n, /revision 1 or this one was altered/]],
    },
    {
      title: 'a revision that was edited', events: 6n, tamper: (lines) => replace(lines, 'A3', withHeader('ce_sequence', '9'.padStart(20, '0'))),
      faults: [
        ['A3', 9n, /^revision 3 was expected here: revisions 3 to 8 are missing or come later$/],
        ['A4', 4n, /^revision 3 was expected here: it is missing or comes later$/],
      ],
    },
    {
      title: 'a record that was removed from the middle', events: 5n, tamper: (lines) => without(lines, 'A3'),
      faults: [['A4', 4n, /^revision 3 was expected here: it is missing or comes later$/]],
    },
    {
      title: 'two records that were removed, each by itself', events: 4n, tamper: (lines) => without(lines, 'A2', 'A5'),
      faults: [['A3', 3n, /^revision 2 was expected here: it is missing/], ['A6', 6n, /^revision 5 was expected here: it is missing/]],
    },
    {
      title: 'the first records, removed', events: 3n, tamper: (lines) => without(lines, 'A1', 'A2', 'A3'),
      faults: [['A4', 4n, /^revision 1 was expected here: revisions 1 to 3 are missing/]],
    },
    {
      title: 'a record that was removed, with a race for the next one', events: 5n, voids: 2n,
      tamper: (lines, topic, chain) => [
        ...without(lines, 'A3'), topic.line('a lost race', chain.candidate({ revision: 3n, hash: hashOf(lines, 'A3') })), { ...lines[5]!, name: 'a copy' },
      ],
      faults: [['A4', 4n, /^revision 3 was expected here/]],
    },
    {
      title: 'two records that changed places', events: 6n, tamper: ([a1, a2, a3, a4, ...rest]) => [a1!, a2!, a4!, a3!, ...rest],
      faults: [['A4', 4n, /^revision 3 was expected here: it is missing or comes later$/]],
    },
    {
      title: 'a record from the future, after which the stream goes on', events: 7n,
      tamper: (lines, topic, chain) => [
        ...lines.slice(0, 3), topic.line('forged', chain.candidate({ revision: 7n, hash: 'f'.repeat(64) })), ...lines.slice(3),
      ],
      faults: [['forged', 8n, /^revision 4 was expected here: revisions 4 to 7 are missing/]],
    },
    {
      title: 'a first record that names a predecessor', events: 6n, tamper: (lines) => replace(lines, 'A1', withHeader('ce_predecessorhash', 'a'.repeat(64))),
      faults: [['A1', 1n, /claims to be the first of its stream/], ['A2', 2n, /revision 1 or this one was altered/]],
    },
    {
      title: 'a message without headers', events: 6n, tamper: (lines) => [junk, ...lines],
      faults: [['junk', 0n, /^the message here is no record: it has no header ce_id$/]],
    },
    {
      title: 'a message with a header twice', events: 6n, tamper: (lines) => [...lines, { ...withHeader('ce_id', ['a', 'b'])(lines[2]!), name: 'junk' }],
      faults: [['junk', 0n, /no record: its header ce_id is there more than once/]],
    },
    {
      title: 'a tombstone', events: 6n, tamper: (lines) => [...lines, { ...lines[2]!, name: 'junk', value: null }],
      faults: [['junk', 0n, /no record: it has no value/]],
    },
    {
      title: 'a record in another partition than its stream', events: 5n,
      tamper: (lines) => replace(lines, 'A6', (line) => ({ ...line, partition: (line.partition + 1) % 3 })),
      faults: [['A6', 6n, /in another partition than its stream/]],
    },
    {
      title: 'a value that does not decode', events: 6n, tamper: (lines) => replace(lines, 'A6', (line) => ({ ...line, value: Buffer.from([0xff]) })),
      faults: [['A6', 6n, /^its value is no lehr\.v1\.AttemptStarted/]],
    },
    {
      title: 'a type that this version does not know', events: 6n, tamper: (lines) => replace(lines, 'A6', withHeader('ce_type', 'lehr.v9.TaskPainted')), faults: [],
    },
  ];

  for (const { title, tamper, events, voids = 0n, faults } of tamperings) {
    test(`an audit finds ${title}`, async (t) => {
      const topic = await writtenTopic(t);
      const chain = new TaskChain({ paddingBytes: 8 });
      const lines = Array.from({ length: 6 }, (_, index) => {
        const record = chain.candidate();
        chain.advance(record);
        return topic.line(`A${index + 1}`, record);
      });
      const sound = new TaskChain();
      const other = sound.candidate();
      const positions = await topic.write([...tamper(lines, topic, chain), topic.line('other', other), topic.line('other again', other)]);
      const audit = await auditTopic(read(topic));
      const found = audit.faults.map(({ partition, offset, revision }) => [`${partition}-${offset}`, revision]);
      t.deepEqual(found, faults.map(([name, revision]) => [positions.get(name), revision]));
      faults.forEach(([, , message], index) => t.regex(audit.faults[index]?.message ?? '', message));
      t.deepEqual([audit.events, audit.voids, audit.faultCount], [events + 1n, voids + 1n, BigInt(faults.length)]);
    });
  }

  test('an audit finds that the beginning of a partition was removed', async (t) => {
    const topic = await writtenTopic(t, 1);
    const chain = new TaskChain();
    const lines = Array.from({ length: 5 }, (_, index) => {
      const record = chain.candidate();
      chain.advance(record);
      return topic.line(String(index), record);
    });
    await topic.write(lines);
    await topic.removeBefore(0, 3);
    t.deepEqual((await auditTopic(read(topic))).faults, [
      { partition: 0, offset: 3n, subject: '', revision: 0n, message: 'partition 0 begins here: the 3 messages before were removed' },
      { partition: 0, offset: 3n, subject: chain.subject, revision: 4n, message: 'revision 1 was expected here: revisions 1 to 3 are missing or come later' },
    ]);
  });

  test('what every node passes over is passed over and counted', async (t) => {
    const topic = await writtenTopic(t);
    const chain = new TaskChain();
    const first = chain.candidate();
    chain.advance(first);
    const lines = [topic.line('first', first), { ...topic.line('broken', chain.candidate()), value: Buffer.from([0xff]) }, topic.line('second', chain.candidate()), junk];
    const positions = await topic.write(lines);
    const skip = new Set(['broken', 'junk'].map((name) => positions.get(name) ?? ''));
    const { heads: _, ...audit } = await auditTopic(read(topic, { skip }));
    t.deepEqual(audit, { events: 2n, streams: 1n, voids: 0n, skipped: 2n, faults: [], faultCount: 0n });
  });

  test('a topic without messages is sound, and one that is not there is named', async (t) => {
    const topic = await writtenTopic(t);
    t.deepEqual(await placesOf(read(topic)), []);
    const error = await t.throwsAsync(placesOf(read({ settings: { ...topic.settings, topic: 'test.nowhere' } })), { instanceOf: TopicUnreadableError });
    t.deepEqual([error.kind, error.message], [
      'missing', `There is no topic test.nowhere at ${topic.settings.brokers.join()}, or this user may not see it. See that its name is right.`,
    ]);
  });

  test('a reader that is let go in the middle leaves nothing running, and one whose caller aborts ends with its reason', async (t) => {
    const topic = await writtenTopic(t);
    const { records } = honestStory();
    await topic.write(records.map((record, index) => topic.line(String(index), record)));
    for await (const batch of read(topic)) {
      t.true(batch.length > 0);
      break;
    }
    const abort = new AbortController();
    const reason = new Error('enough');
    const stored = read(topic, { onProgress: () => { abort.abort(reason); } }, abort.signal);
    t.is(await t.throwsAsync(placesOf(stored)), reason);
  });

  test('connections that break while a topic is read cost time and nothing else', async (t) => {
    const proxies: TcpProxy[] = [];
    t.teardown(() => Promise.all(proxies.map((proxy) => proxy.stop())));
    const cluster = await startKafka({
      advertised: async (_index, port) => {
        const proxy = await startTcpProxy(port);
        proxies.push(proxy);
        return `127.0.0.1:${proxy.port}`;
      },
    });
    t.teardown(() => cluster.stop());
    const topic = await writtenTopic(t, 3, cluster.brokers);
    // More than is fetched at once.
    const { records, ...expected } = honestStory({ streams: 16, revisions: 24, paddingBytes: 100_000 });
    for (let at = 0; at < records.length; at += 10) {
      await topic.write(records.slice(at, at + 10).map((record, index) => topic.line(String(at + index), record)));
    }
    const replaced = Promise.withResolvers<undefined>();
    const nothing = (): void => undefined;
    const log = { debug: nothing, info: nothing, error: nothing, warn: () => { replaced.resolve(undefined); } };
    // The first break is over before kafkajs has noticed, the second one when it has given up.
    const breaks = [() => Promise.resolve(), () => replaced.promise];
    let healed = Promise.resolve();
    const audit = await audited(topic, {
      log,
      onProgress: ({ messages, total }) => {
        const isFar = messages * 3n > total * (breaks.length === 2 ? 1n : 2n);
        const isOver = isFar ? breaks.shift() : undefined;
        if (isOver === undefined) return;
        healed = proxies[0]!.cut().then(isOver).then(() => proxies[0]!.resume());
      },
    });
    t.deepEqual(audit, { ...expected, skipped: 0n, faults: [], faultCount: 0n });
    t.deepEqual(breaks, []);
    await healed;
  });
}

test('brokers that nobody can reach are named within seconds', async (t) => {
  const [port = 0] = await freePorts(1);
  const settings = { brokers: [`127.0.0.1:${port}`], topic: 'lehr.events', partitions: 1, replication: 1 };
  const error = await t.throwsAsync(placesOf(read({ settings })), { instanceOf: TopicUnreadableError });
  t.is(error.kind, 'unreachable');
  t.regex(error.message, new RegExp(`^The topic lehr\\.events cannot be read at 127\\.0\\.0\\.1:${port}: Connection error: connect ECONNREFUSED 127\\.0\\.0\\.1:${port}\\. See that the brokers are up`));
});

function hashOf(lines: readonly Line[], name: string): string {
  const next = lines[lines.findIndex((line) => line.name === name) + 1];
  const follows = next?.headers['ce_predecessorhash'];
  if (typeof follows !== 'string') throw new Error(`no record follows ${name}`);
  return follows;
}
