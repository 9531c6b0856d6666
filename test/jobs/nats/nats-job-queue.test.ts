import test from 'ava';
import { hasTool } from '../../tooling/has-tool.ts';
import { sharedNats } from '../../servers/shared-nats.ts';
import { always, NatsBench, newTask } from './nats-bench.ts';

/** Quick enough for a test, slow enough for a machine that is busy. */
const quick = { ackWaitMs: 1_000, maxDeliver: 20 };

if (hasTool('nats-server')) {
  test('a job that one node offers is taken by another, and gone once it is done', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const [one, other] = [await bench.node(), await bench.node()];
    const taskId = newTask();
    one.queue.offer(taskId, '0-1');
    const job = await other.queue.take(always);
    t.is(job.taskId, taskId);
    const manager = await bench.manager();
    const jobs = async (): Promise<number> => (await manager.streams.info(bench.names.stream)).state.messages;
    t.is(await jobs(), 1);
    job.done();
    while (await jobs() > 0) t.log('the acknowledgement is on its way');
  });

  test('who waits for a job gets one that comes later, and a node that asks for none gets none', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const [busy, idle] = [await bench.node(), await bench.node()];
    const first = newTask();
    busy.queue.offer(first);
    t.is(await busy.takeDone(), first);
    const ids = Array.from({ length: 20 }, newTask);
    const taken = ids.map(() => idle.takeDone());
    for (const id of ids) busy.queue.offer(id);
    t.deepEqual((await Promise.all(taken)).toSorted(), ids.toSorted());
  });

  test('nodes that offer a task for the same occasion make one job, also when it was done in between', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const [one, other] = [await bench.node(), await bench.node()];
    const [taskId, last] = [newTask(), newTask()];
    one.queue.offer(taskId, '2-17');
    t.is(await one.takeDone(), taskId);
    await one.link.connection.flush();
    other.queue.offer(taskId, '2-17');
    one.queue.offer(taskId, '2-17');
    other.queue.offer(last, '2-18');
    t.is(await one.takeDone(), last);
    other.queue.offer(taskId, 'retry-1000');
    t.is(await one.takeDone(), taskId);
  });

  test('a task that has a job already gets no other, whoever offers it and however often', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const nodes = [await bench.node(), await bench.node(), await bench.node()];
    const ids = Array.from({ length: 10 }, newTask);
    for (let round = 0; round < 5; round += 1) {
      for (const { queue } of nodes) {
        for (const id of ids) queue.offer(id);
      }
    }
    await Promise.all(nodes.map(({ link }) => link.connection.flush()));
    t.is((await (await bench.manager()).streams.info(bench.names.stream)).state.messages, ids.length);
  });

  test('a task that is offered while it is worked on is looked at once more, when that is done', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const node = await bench.node();
    const [taskId, other] = [newTask(), newTask()];
    node.queue.offer(taskId);
    const job = await node.queue.take(always);
    for (let offers = 0; offers < 3; offers += 1) node.queue.offer(taskId, String(offers));
    node.queue.offer(other);
    t.is(await node.takeDone(), other);
    job.done();
    t.is(await node.takeDone(), taskId);
    const last = newTask();
    node.queue.offer(last);
    t.is(await node.takeDone(), last);
  });

  test('a job whose worker died is handed out again', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const doomed = await bench.node({ delivery: quick });
    const heir = await bench.node({ delivery: quick });
    const taskId = newTask();
    doomed.queue.offer(taskId);
    t.is((await doomed.queue.take(always)).taskId, taskId);
    await doomed.die();
    t.is(await heir.takeDone(), taskId);
  });

  test('a job that takes long is kept by its holder', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const delivery = { ackWaitMs: 3_000, maxDeliver: 20 };
    const count = 4;
    const [holder, other] = [await bench.node({ delivery }), await bench.node({ delivery })];
    const [taskId, last] = [newTask(), newTask()];
    other.queue.offer(taskId);
    const job = await holder.queue.take(always);
    t.is(job.taskId, taskId);
    const taken = other.takeDone();
    const signs = (await bench.client()).subscribe(`$JS.ACK.${bench.names.stream}.>`, { max: count });
    const said: string[] = [];
    for await (const sign of signs) said.push(sign.string());
    t.deepEqual(said, Array.from({ length: count }, () => '+WPI'), 'for longer than a job may go unheard');
    const manager = await bench.manager();
    t.is((await manager.consumers.info(bench.names.stream, bench.names.consumer)).num_redelivered, 0);
    job.done();
    other.queue.offer(last);
    t.is(await taken, last);
  });

  test('a job that kills its workers is handed out so often and no more, and the last time is told', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const delivery = { ackWaitMs: 300, maxDeliver: 3 };
    const client = await bench.client();
    const end = client.subscribe(`$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.${bench.names.stream}.${bench.names.consumer}`, { max: 1 });
    const taskId = newTask();
    const warned: number[] = [];
    for (let death = 1; death <= delivery.maxDeliver; death += 1) {
      const victim = await bench.node({ delivery });
      if (death === 1) victim.queue.offer(taskId);
      t.is((await victim.queue.take(always)).taskId, taskId);
      warned.push(victim.log.said.filter(({ message }) => message.includes('last time')).length);
      await victim.die();
    }
    t.deepEqual(warned, [0, 0, 1]);
    const survivor = await bench.node({ delivery });
    const taken = survivor.takeDone();
    for await (const _ of end) t.pass();
    const other = newTask();
    survivor.queue.offer(taskId);
    survivor.queue.offer(other);
    t.is(await taken, other);
  });

  test('what is no job is ignored and taken away, and told once', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const node = await bench.node();
    const client = await bench.client();
    for (const nonsense of ['nonsense', '1', newTask().toUpperCase()]) client.publish(`${bench.names.jobs.slice(0, -1)}${nonsense}`, 'x');
    await client.flush();
    const taskId = newTask();
    node.queue.offer(taskId);
    t.is(await node.takeDone(), taskId);
    t.deepEqual(node.log.said.map(({ message }) => message), ['messages in NATS that this service does not understand were ignored']);
    const manager = await bench.manager();
    await node.link.connection.flush();
    t.is((await manager.consumers.info(bench.names.stream, bench.names.consumer)).num_ack_pending, 0);
  });

  test('who stops to wait takes no job along', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const [leaving, staying] = [await bench.node(), await bench.node()];
    const stop = new AbortController();
    const reason = new Error('left');
    const given = t.throwsAsync(leaving.queue.take(stop.signal), { is: reason });
    await leaving.link.connection.flush();
    stop.abort(reason);
    await given;
    await t.throwsAsync(leaving.queue.take(stop.signal), { is: reason });
    const taskId = newTask();
    staying.queue.offer(taskId);
    t.is(await staying.takeDone(), taskId);
  });

  const losses: Readonly<Record<string, (bench: NatsBench) => Promise<unknown>>> = {
    'the stream is removed': async (bench) => (await bench.manager()).streams.delete(bench.names.stream),
    'the consumer is removed': async (bench) => (await bench.manager()).consumers.delete(bench.names.stream, bench.names.consumer),
  };
  for (const [name, lose] of Object.entries(losses)) {
    test(`where ${name} it is made again, and the sweep called for`, async (t) => {
      const bench = new NatsBench(t, await sharedNats(t));
      const [one, other] = [await bench.node(), await bench.node()];
      const taken = one.takeDone();
      await one.link.connection.flush();
      const { nextLoss } = one;
      await lose(bench);
      await nextLoss;
      const taskId = newTask();
      other.queue.offer(taskId);
      t.is(await Promise.race([taken, other.takeDone()]), taskId);
    });
  }

  test('a job of a stream that was removed is nobody\'s when it is done: not that of the new stream with its number', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const [node, other] = [await bench.node(), await bench.node()];
    const [before, after] = [newTask(), newTask()];
    node.queue.offer(before);
    const held = await node.queue.take(always);
    const waiting = node.queue.take(always);
    await node.link.connection.flush();
    const { nextLoss } = node;
    const manager = await bench.manager();
    await manager.streams.delete(bench.names.stream);
    await nextLoss;
    other.queue.offer(after);
    const job = await waiting;
    t.is(job.taskId, after);
    held.done();
    await node.link.connection.flush();
    t.is((await manager.consumers.info(bench.names.stream, bench.names.consumer)).num_ack_pending, 1);
    job.done();
  });

  test('a node that only offers makes the stream again when it finds none', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const node = await bench.node();
    const manager = await bench.manager();
    await manager.streams.delete(bench.names.stream);
    const { nextLoss } = node;
    const taskId = newTask();
    node.queue.offer(taskId);
    await nextLoss;
    t.is(await node.takeDone(), taskId);
  });

  test('jobs that were purged come again when they are offered again', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const node = await bench.node();
    const taskId = newTask();
    node.queue.offer(taskId);
    await node.link.connection.flush();
    await (await bench.manager()).streams.purge(bench.names.stream);
    node.queue.offer(taskId);
    t.is(await node.takeDone(), taskId);
  });

  test('thousands of jobs that are offered at once by all nodes are all taken', async (t) => {
    const bench = new NatsBench(t, await sharedNats(t));
    const nodes = [await bench.node(), await bench.node()];
    const ids = Array.from({ length: 6_000 }, newTask);
    for (const { queue } of nodes) {
      for (const id of ids) queue.offer(id, '0-1');
    }
    const seen = new Set<string>();
    const takeAll = async ({ takeDone }: (typeof nodes)[number]): Promise<void> => {
      while (seen.size < ids.length) seen.add(await takeDone());
    };
    await Promise.race(nodes.flatMap((node) => Array.from({ length: 8 }, () => takeAll(node))));
    t.deepEqual([...seen].toSorted(), ids.toSorted());
  });
}
