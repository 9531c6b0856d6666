import test from 'ava';
import type { ExecutionContext } from 'ava';

import { projections } from '../../projections/all.ts';
import { headQueries } from '../../projections/heads/queries.ts';
import { historyQueries } from '../../projections/history/queries.ts';
import { eventService } from '../../src/api/event-service.ts';
import type { StoredRecords } from '../../src/api/verify-events.ts';
import { partitionOf } from '../../src/log/kafka/partition-of.ts';
import { storedTopic } from '../../src/log/kafka/audit/stored-topic.ts';
import { openProjectionsForReading } from '../../src/projector/open-projections.ts';
import { projectedReadSide } from '../../src/streams/projected-read-side.ts';
import type { VerifyEventsResponse } from '../../src/gen/lehr/v1/event_service.ts';
import { TaskChain } from '../contract/task-chain.ts';
import { openKafkaLog, SpokenLines } from '../log/kafka/open-kafka-log.ts';
import { writtenTopic } from '../log/kafka/written-topic.ts';
import type { Line, WrittenTopic } from '../log/kafka/written-topic.ts';
import { hasTool } from '../tooling/has-tool.ts';

const call = { owner: 'blue', signal: new AbortController().signal };
const partitions = 2;

const stored = ({ settings }: Pick<WrittenTopic, 'settings'>): StoredRecords => (subject, signal) =>
  storedTopic({ settings, clientId: 'test', log: new SpokenLines(), subject }, signal);

/** Three streams of four records, which a node has accepted; the first two share a partition. */
async function acceptedStreams(t: ExecutionContext) {
  const topic = await writtenTopic(t, partitions);
  const chains: TaskChain[] = [new TaskChain()];
  const isBeside = (chain: TaskChain): boolean => partitionOf(chain.subject, partitions) === partitionOf(chains[0]!.subject, partitions);
  for (const beside of [true, false]) {
    let chain = new TaskChain();
    while (isBeside(chain) !== beside) chain = new TaskChain();
    chains.push(chain);
  }
  const lines: Line[] = [];
  for (let revision = 1; revision <= 4; revision += 1) {
    for (const [index, chain] of chains.entries()) {
      const record = chain.candidate();
      const loser = chain.candidate();
      chain.advance(record);
      lines.push(topic.line(`${'ABC'[index] ?? ''}${revision}`, record), topic.line('void', loser), topic.line('void', record));
    }
  }
  await topic.write(lines);
  const node = await openKafkaLog(t, topic.settings);
  const db = openProjectionsForReading(node.replica.projectionsFolder, projections);
  t.teardown(() => db.close());
  const history = historyQueries(db);
  const deps = {
    log: node.log, history, heads: headQueries(db), readSide: projectedReadSide(history, node.replica.applied), stopping: call.signal,
  };
  const verify = (storedRecords: StoredRecords, subject = ''): Promise<VerifyEventsResponse> =>
    eventService({ ...deps, storedRecords }).verifyEvents({ subject }, call);
  return { topic, chains, lines, node, verify };
}

if (hasTool('kafka')) {
  test('a node verifies the topic against what it has accepted, as a whole and stream by stream', async (t) => {
    const { topic, chains, verify } = await acceptedStreams(t);
    t.deepEqual(await verify(stored(topic)), { events: 12n, streams: 3n, faults: [] });
    for (const { subject } of chains) t.deepEqual(await verify(stored(topic), subject), { events: 4n, streams: 1n, faults: [] });
  });

  test('what is accepted while a node verifies is not taken for cut off', async (t) => {
    const { topic, chains, node, verify } = await acceptedStreams(t);
    const late = new TaskChain();
    const appending: StoredRecords = async function* read(subject, signal) {
      yield* stored(topic)(subject, signal);
      for (const chain of [...chains, late]) {
        const { outcome } = await chain.append(node.log);
        if (outcome.kind === 'accepted') await node.replica.applied.reached(outcome.position, signal);
      }
    };
    t.deepEqual(await verify(appending), { events: 12n, streams: 3n, faults: [] });
    t.deepEqual(await verify(stored(topic)), { events: 16n, streams: 4n, faults: [] });
  });

  /** What a topic holds that somebody has put in the place of the right one. */
  const replacements: readonly (readonly [
    title: string,
    change: (lines: readonly Line[], chains: readonly TaskChain[], topic: WrittenTopic) => readonly Line[],
    faults: readonly (readonly [stream: 'A' | 'B' | 'C', revision: bigint, message: RegExp])[],
  ])[] = [
    ['all that it had', (lines) => lines, []],
    [
      'a stream without its last record', (lines) => lines.filter(({ name }, index) => name !== 'C4' && lines[index - 2]?.name !== 'C4'),
      // Whoever lost the race for the last revision has won it now.
      [['C', 4n, /when it was accepted this record had the hash [0-9a-f]{64}: it was replaced/]],
    ],
    [
      'a stream without its last record and its rivals', (lines) => lines.slice(0, -3),
      [['C', 4n, /the stream ended with revision 4 \(hash [0-9a-f]{64}\), but the log holds only 3: records were cut off/]],
    ],
    [
      'one stream less', (lines, chains) => lines.filter(({ headers }) => headers['ce_subject'] !== chains[2]?.subject),
      [['C', 4n, /but the log holds none of it: records were cut off/]],
    ],
    [
      'a last record that was altered',
      (lines) => lines.map((line) => (line.name === 'A4' ? { ...line, headers: { ...line.headers, ce_time: '2020-01-01T00:00:00.000Z' } } : line)),
      [['A', 4n, /it was replaced/]],
    ],
    [
      'a record in the middle that was altered',
      (lines) => lines.map((line) => (line.name === 'A2' ? { ...line, headers: { ...line.headers, ce_owner: 'mallory' } } : line)),
      [['A', 2n, /it was replaced/], ['A', 3n, /revision 2 or this one was altered/]],
    ],
    [
      'records of two streams that changed places',
      (lines) => lines.map((line) => ({ A4: lines.find(({ name }) => name === 'B4')!, B4: lines.find(({ name }) => name === 'A4')! })[line.name] ?? line),
      // The loser of each race comes before its winner now, or right after it.
      [['B', 4n, /was at position \d+: it was moved/], ['A', 4n, /it was replaced/]],
    ],
  ];

  for (const [title, change, expected] of replacements) {
    test(`a node that is given a topic with ${title} says what it misses`, async (t) => {
      const { chains, lines, topic, verify } = await acceptedStreams(t);
      const other = await writtenTopic(t, partitions);
      await other.write(change(lines, chains, topic));
      const { faults } = await verify(stored(other));
      const found = faults.map(({ subject, revision }) => ['ABC'[chains.findIndex((chain) => chain.subject === subject)], revision]);
      t.deepEqual(found, expected.map(([stream, revision]) => [stream, revision]));
      expected.forEach(([, , message], index) => t.regex(faults[index]?.message ?? '', message));
    });
  }

  test('a topic that cannot be read is unavailable, which is no verdict', async (t) => {
    const { topic, verify } = await acceptedStreams(t);
    const gone = { settings: { ...topic.settings, topic: 'test.nowhere' } };
    await t.throwsAsync(verify(stored(gone)), { name: 'ApiError', message: /The log does not answer this server/ });
  });
}
