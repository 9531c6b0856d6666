import test from 'ava';
import Sqlite from 'better-sqlite3';
import { join } from 'node:path';
import { projections } from '../../../projections/all.ts';
import { projectionsFileName } from '../../../src/projector/open-projections.ts';
import { TaskChain } from '../../contract/task-chain.ts';
import { readLog } from '../../contract/read-log.ts';
import { sharedKafka } from '../../servers/shared-kafka.ts';
import { uniqueTopic } from '../../servers/unique-topic.ts';
import { tableDigests } from '../../simulation/table-digests.ts';
import { meddlingSender } from './meddling-sender.ts';
import { openKafkaLog, type OpenedKafkaLog } from './open-kafka-log.ts';

/** Digests of the rows of a replica that is closed. */
function digestsOf({ folder }: OpenedKafkaLog): Record<string, string> {
  const db = new Sqlite(join(folder, 'projections', projectionsFileName(projections)), { readonly: true });
  try {
    return tableDigests(db);
  } finally {
    db.close();
  }
}

test('of rivals on two nodes one is accepted, and the tables of all nodes, those that came later too, are the same', async (t) => {
  const settings = { brokers: [await sharedKafka(t)], topic: uniqueTopic(), partitions: 4, replication: 1 };
  let seed = 100;
  const nodes = await Promise.all([1, 2].map(() => openKafkaLog(t, settings, { meddle: (sender) => meddlingSender(sender, seed += 1) })));
  const chains = Array.from({ length: 40 }, () => new TaskChain());
  await Promise.all(chains.map(async (chain) => {
    for (let revision = 1; revision <= 8; revision += 1) {
      const rivals = nodes.map(() => chain.candidate());
      const outcomes = await Promise.all(nodes.map(({ log }, index) => log.append(rivals[index] ?? Buffer.alloc(0))));
      t.deepEqual(outcomes.map(({ kind }) => kind).toSorted(), ['accepted', 'superseded']);
      chain.advance(rivals[outcomes.findIndex(({ kind }) => kind === 'accepted')] ?? Buffer.alloc(0));
    }
  }));

  const later = await openKafkaLog(t, settings);
  const [first, ...others] = await Promise.all([...nodes, later].map(({ log }) => readLog(log)));
  t.is(first?.length, 320);
  for (const other of others) t.deepEqual(other, first);
  // What the meddling senders still had up their sleeves is void, but it is read.
  for (const node of nodes) await node.close();
  const reread = await Promise.all(nodes.map(({ folder }) => openKafkaLog(t, settings, { folder })));
  await later.log.end();
  for (const node of [...reread, later]) await node.close();
  const [expected, ...found] = [...reread, later].map(digestsOf);
  for (const digests of found) t.deepEqual(digests, expected);
});

test('a node that was away goes on where it was', async (t) => {
  const settings = { brokers: [await sharedKafka(t)], topic: uniqueTopic(), partitions: 4, replication: 1 };
  const [stays, leaves] = await Promise.all([openKafkaLog(t, settings), openKafkaLog(t, settings)]);
  const chains = Array.from({ length: 20 }, () => new TaskChain());
  for (const chain of chains) await chain.append(stays.log);
  await leaves.log.end();
  await leaves.close();
  for (const chain of chains) await chain.append(stays.log);
  const back = await openKafkaLog(t, settings, { folder: leaves.folder });
  t.deepEqual(await readLog(back.log), await readLog(stays.log));
  for (const chain of chains) t.is((await chain.append(back.log)).outcome.kind, 'accepted');
});
