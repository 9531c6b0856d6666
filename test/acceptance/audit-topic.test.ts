import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { projections } from '../../projections/all.ts';
import { headQueries } from '../../projections/heads/queries.ts';
import { historyQueries } from '../../projections/history/queries.ts';
import { eventService } from '../../src/api/event-service.ts';
import type { DomainEvent } from '../../src/domain/decision.ts';
import { absentImage, decideImage } from '../../src/domain/image/image.ts';
import { registerImageOf } from '../../src/domain/image/image-of-task.ts';
import { decideTask } from '../../src/domain/task/decide-task.ts';
import { evolveTask } from '../../src/domain/task/evolve-task.ts';
import { absentTask } from '../../src/domain/task/task-state.ts';
import type { TaskState } from '../../src/domain/task/task-state.ts';
import type { TaskCommand, TaskPayload } from '../../src/domain/task/task-command.ts';
import { encodeCanonical, hashCanonical } from '../../src/log/canonical.ts';
import { sealRecord } from '../../src/log/envelope.ts';
import { emptyHead } from '../../src/log/head.ts';
import type { Head } from '../../src/log/head.ts';
import { storedTopic } from '../../src/log/kafka/audit/stored-topic.ts';
import { openProjectionsForReading } from '../../src/projector/open-projections.ts';
import { projectedReadSide } from '../../src/streams/projected-read-side.ts';
import { shapeOf } from '../docs/shape-of.ts';
import { cancel, complete, confirmCancel, create, start, store, succeed } from '../domain/task-fixtures.ts';
import { openKafkaLog, SpokenLines } from '../log/kafka/open-kafka-log.ts';
import { writtenTopic } from '../log/kafka/written-topic.ts';
import type { Line, WrittenTopic } from '../log/kafka/written-topic.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { run } from '../tooling/run.ts';
import { makeFolder } from './harness/lehr-server.ts';

const root = path.resolve(import.meta.dirname, '../..');
const script = path.join(import.meta.dirname, 'python/audit_topic.py');
const ids = { canceled: '32a62afe-76a6-586e-9d12-a73cff1a0ea0', imported: '7a6f1c1e-3f0e-5c57-9d0a-2f1b8f0c6f3e' };

/** Debian's own Python, which has the packages. */
const python = '/usr/bin/python3';

/** Writes records of two tasks and an image into a topic. */
class Teller {
  readonly records: Buffer[] = [];
  readonly heads = new Map<string, Head>();
  readonly #states = new Map<string, TaskState>();

  task(id: string, ...commands: readonly TaskCommand[]): void {
    for (const command of commands) {
      const event = this.#decide(id, command);
      this.#states.set(id, evolveTask(id, this.#stateOf(id), event));
      this.#append(`tasks/${id}`, event);
    }
  }

  /** Two nodes decide on the same state; the record of the second comes too late. */
  race(id: string, winner: TaskCommand, loser: TaskCommand): void {
    const head = this.heads.get(`tasks/${id}`) ?? emptyHead;
    const late = encodeCanonical(sealRecord(`tasks/${id}`, head, this.#decide(id, loser)));
    this.task(id, winner);
    this.records.push(late);
  }

  /** A client library sends everything of a stream again. */
  repeat(index: number): void {
    this.records.push(this.records[index]!);
  }

  image(id: string): void {
    const task = this.#stateOf(id);
    if (task.status !== 'committed') throw new Error(`${id} is ${task.status}`);
    const decision = decideImage(absentImage, registerImageOf(task));
    if (decision.kind !== 'event') throw new Error('an image that was stored is registered');
    this.#append(`images/${id}`, decision.event);
  }

  #stateOf(id: string): TaskState {
    return this.#states.get(id) ?? absentTask;
  }

  #decide(id: string, command: TaskCommand): DomainEvent<TaskPayload> {
    const decision = decideTask(this.#stateOf(id), 'id' in command ? { ...command, id } : command);
    if (decision.kind !== 'event') throw new Error(`${command.type} makes no event`);
    return decision.event;
  }

  #append(subject: string, event: DomainEvent): void {
    const head = this.heads.get(subject) ?? emptyHead;
    const record = encodeCanonical(sealRecord(subject, head, event));
    this.heads.set(subject, { revision: head.revision + 1n, hash: hashCanonical(record) });
    this.records.push(record);
  }
}

/** The story that docs/how-to/audit.md shows: 10 events of 3 streams, a race that was lost, and two copies. */
function tellStory(): Teller {
  const teller = new Teller();
  teller.task(ids.canceled, create(0));
  teller.task(ids.imported, create(0), start(1), complete(2, 1));
  teller.race(ids.canceled, start(1), cancel(1));
  teller.repeat(0);
  teller.task(ids.imported, store(3, 1));
  teller.image(ids.imported);
  teller.task(ids.canceled, cancel(2), confirmCancel(3, 1));
  teller.repeat(2);
  teller.task(ids.imported, succeed(4));
  return teller;
}

/** The blocks in bash of the page, each with the output that is shown behind it. */
async function blocksOf(page: string): Promise<readonly { readonly text: string; readonly shown: string | undefined }[]> {
  const text = await readFile(path.join(root, page), 'utf8');
  return [...text.matchAll(/^```bash\n([^]*?)^```\n(?:\n```text\n([^]*?)^```$)?/gm)].map(([, block = '', shown]) => ({ text: block, shown }));
}

interface AuditedTopic {
  readonly topic: WrittenTopic;
  readonly teller: Teller;
  /** Runs a block of the page, as somebody does who has these brokers and this topic. */
  readonly bash: (block: string) => Promise<string>;
}

/** A topic with the story, and a folder in which an auditor sits. */
async function auditedTopic(t: ExecutionContext): Promise<AuditedTopic> {
  const topic = await writtenTopic(t);
  const teller = tellStory();
  await topic.write(teller.records.map((record, index) => topic.line(String(index), record)));
  const folder = await makeFolder(t);
  await writeFile(path.join(folder, 'audit_topic.py'), await readFile(script));
  const lehr = `"${process.execPath}" --disable-warning=ExperimentalWarning "${path.join(root, 'src/cli/main.ts')}"`;
  const bash = (block: string): Promise<string> => run('bash', ['-euo', 'pipefail', '-c', block
    .replaceAll('kafka-1:9092', topic.settings.brokers.join()).replaceAll('lehr.events', topic.settings.topic)
    .replace('npx lehr verify', `${lehr} verify --topic ${topic.settings.topic}`).replace('python3', python),
  ], folder, { PATH: process.env['PATH'], id: ids.canceled });
  return { topic, teller, bash };
}

test('the page shows the very script that is tested', async (t) => {
  t.true((await readFile(path.join(root, 'docs/how-to/audit.md'), 'utf8')).includes(`\n\`\`\`python\n${await readFile(script, 'utf8')}\`\`\`\n`));
});

if (hasTool('kafka') && hasTool('kcat') && hasTool('python3-confluent-kafka')) {
  test('what the page tells auditors of a topic does what it says, and all of them find the same', async (t) => {
    const { topic, teller, bash } = await auditedTopic(t);
    const outputs: string[] = [];
    for (const { text, shown } of await blocksOf('docs/how-to/audit.md')) {
      const output = await bash(text);
      outputs.push(output);
      if (shown !== undefined) t.deepEqual(shapeOf(placesAway(output)), shapeOf(placesAway(shown)), text);
    }
    const [verified, dumped, stream, audited] = outputs;
    t.is(verified, 'verified 10 events of 3 streams (and 3 void records): the chain holds\n');
    t.is(Number(dumped), teller.records.length);
    t.is(stream?.split('\n').length, 6 + 1);
    const heads = [...teller.heads].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([subject, { revision, hash }]) => `${subject} ${revision} ${hash}`);
    t.deepEqual(audited?.split('\n'), [...heads, '10 events of 3 streams, 3 void records: the chain holds', '']);

    const { log, replica } = await openKafkaLog(t, topic.settings);
    const db = openProjectionsForReading(replica.projectionsFolder, projections);
    t.teardown(() => db.close());
    const history = historyQueries(db);
    const call = { owner: 'blue', signal: new AbortController().signal };
    const service = eventService({
      log, history, heads: headQueries(db), readSide: projectedReadSide(history, replica.applied), stopping: call.signal,
      storedRecords: (subject, signal) => storedTopic({ settings: topic.settings, clientId: 'test', log: new SpokenLines(), subject }, signal),
    });
    t.deepEqual(await service.verifyEvents({ subject: '' }, call), { events: 10n, streams: 3n, faults: [] });
    for (const [subject, head] of teller.heads) {
      const { events } = await service.listEvents({ subject, pageSize: 0, pageToken: '', readToken: '' }, call);
      t.deepEqual({ revision: events.at(-1)?.revision, hash: events.at(-1)?.hash }, head);
    }
  });

  const tamperings: readonly (readonly [title: string, change: (lines: readonly Line[]) => readonly Line[], says: RegExp])[] = [
    ['a record that was removed', (lines) => lines.filter((_, index) => index !== 2), /does not follow revision 1: altered, removed or moved/],
    [
      'a value that was altered',
      (lines) => lines.map((line, index) => (index === 1 ? { ...line, headers: { ...line.headers, ce_owner: 'mallory' } } : line)),
      /does not follow revision 1: altered, removed or moved/,
    ],
    ['a message that is no record', (lines) => [...lines, { ...lines[0]!, headers: {} }], /^\d-\d+: this is no record/],
    ['a tombstone', (lines) => [...lines, { ...lines[0]!, value: null }], /^\d-\d+: this is no record/],
    [
      'a record in another partition', (lines) => [...lines.slice(0, -1), { ...lines.at(-1)!, partition: (lines.at(-1)!.partition + 1) % 3 }],
      /lies in two partitions|does not follow revision 0/,
    ],
  ];

  for (const [title, change, says] of tamperings) {
    test(`the script of the page finds ${title}`, async (t) => {
      const topic = await writtenTopic(t);
      await topic.write(change(linesOf(topic, tellStory())));
      const { settings } = topic;
      const { message } = await t.throwsAsync(run(python, [script, settings.brokers.join(), settings.topic], root, process.env));
      t.regex(message.split('\n')[1] ?? '', says);
    });
  }
}

const linesOf = (topic: WrittenTopic, { records }: Teller): readonly Line[] =>
  records.map((record, index) => topic.line(String(index), record));

/** Partitions, offsets and beginnings of hashes differ from run to run. */
function placesAway(output: string): string {
  return output.replace(/^\d+-\d+ /gm, 'PLACE ').replace(/ after (?!0{8})[0-9a-f]{8}$/gm, ' after HASH');
}
