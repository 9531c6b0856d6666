import test from 'ava';
import { startNats, type NatsServer } from '../../../scripts/servers/start-nats.ts';
import { outflowLimitBytes } from '../../../src/jobs/nats/outflow.ts';
import { hasTool } from '../../tooling/has-tool.ts';
import { always, NatsBench, newTask, noticed, type TestScope } from './nats-bench.ts';

async function ownServer(scope: TestScope): Promise<NatsServer> {
  const server = await startNats();
  scope.teardown(() => server.stop());
  return server;
}

if (hasTool('nats-server')) {
  test('while NATS is away each node takes the jobs that it is offered itself; when it is back they share them again', async (t) => {
    const server = await ownServer(t);
    const bench = new NatsBench(t, server.url);
    const [one, other] = [await bench.node(), await bench.node()];
    const waiting = other.takeDone();
    const away = [noticed(one), noticed(other)];
    await server.kill();
    await Promise.all(away);
    const [here, later, there] = [newTask(), newTask(), newTask()];
    one.queue.offer(here, '0-1');
    t.is(await one.takeDone(), here);
    one.queue.offer(later, '0-2');
    const back = [one.nextLoss, other.nextLoss];
    await server.start();
    await Promise.all(back);
    t.is(await waiting, later, 'what nobody took meanwhile goes to whoever waits');
    other.queue.offer(there, '0-3');
    t.is(await one.takeDone(), there);
    const events = [/away/, /trying on|back/, /back/];
    t.true(one.log.said.length <= 6, 'said once and not at each attempt');
    t.true(events.every((event) => one.log.said.some(({ message }) => event.test(message))));
  });

  test('a job that is done while NATS is away is handed out once more', async (t) => {
    const server = await ownServer(t);
    const bench = new NatsBench(t, server.url);
    const node = await bench.node({ delivery: { ackWaitMs: 1_000, maxDeliver: 20 } });
    const taskId = newTask();
    node.queue.offer(taskId);
    const job = await node.queue.take(always);
    const away = noticed(node);
    await server.kill();
    await away;
    job.done();
    await server.start();
    t.is(await node.takeDone(), taskId);
  });

  test('a job that was taken before NATS was away can be done afterwards', async (t) => {
    const server = await ownServer(t);
    const bench = new NatsBench(t, server.url);
    const node = await bench.node();
    node.queue.offer(newTask());
    const job = await node.queue.take(always);
    const [away, back] = [noticed(node), node.nextLoss];
    await server.kill();
    await away;
    await server.start();
    await back;
    job.done();
    const manager = await bench.manager();
    while ((await manager.streams.info(bench.names.stream)).state.messages > 0) t.log('the acknowledgement is on its way');
    t.false((await manager.consumers.info(bench.names.stream, bench.names.consumer)).num_ack_pending > 0);
  });

  test('all that JetStream stored may be lost: the queue goes on, and calls for the sweep', async (t) => {
    const server = await ownServer(t);
    const bench = new NatsBench(t, server.url);
    const [one, other] = [await bench.node(), await bench.node()];
    const held = newTask();
    one.queue.offer(held);
    const job = await one.queue.take(always);
    for (let lost = 0; lost < 5; lost += 1) one.queue.offer(newTask());
    await one.link.connection.flush();
    const back = [one.nextLoss, other.nextLoss];
    await server.empty();
    await Promise.all(back);
    const taskId = newTask();
    other.queue.offer(taskId);
    t.is((await one.queue.take(always)).taskId, taskId);
    job.done();
    await one.link.connection.flush();
    const info = await (await bench.manager()).consumers.info(bench.names.stream, bench.names.consumer);
    t.is(info.num_ack_pending, 1, 'the job of before acknowledged nothing of now');
  });

  test('a server that hangs is noticed; until then no more is sent than it may have to take, and afterwards nothing', async (t) => {
    const server = await ownServer(t);
    const bench = new NatsBench(t, server.url);
    const node = await bench.node();
    const away = noticed(node);
    server.pause();
    const line = 'x'.repeat(1_000);
    let sentBytes = 0;
    while (node.link.publish('somewhere', line)) sentBytes += line.length;
    t.true(sentBytes <= outflowLimitBytes, `${sentBytes} bytes`);
    const taskId = newTask();
    node.queue.offer(taskId, '0-1');
    t.is(await node.takeDone(), taskId, 'a job that cannot be sent is taken here');
    await away;
    t.false(node.link.isUp);
    t.false(node.link.publish('somewhere', line));
    const back = node.nextLoss;
    server.resume();
    await back;
    const next = newTask();
    node.queue.offer(next);
    let taken = await node.takeDone();
    // What stood in the sockets when the server hung arrives now: a job may come twice.
    if (taken === taskId) taken = await node.takeDone();
    t.is(taken, next);
  });

  test('jobs that the server had not confirmed when it was killed are not lost', async (t) => {
    const server = await ownServer(t);
    const bench = new NatsBench(t, server.url);
    const node = await bench.node();
    server.pause();
    const ids = Array.from({ length: 1_000 }, newTask);
    for (const id of ids) node.queue.offer(id, '0-1');
    await server.kill();
    const taken: string[] = [];
    while (taken.length < ids.length) taken.push(await node.takeDone());
    t.deepEqual(taken.toSorted(), ids.toSorted());
  });

  test('a link that is closed while NATS is away does not wait for it', async (t) => {
    const server = await ownServer(t);
    const node = await new NatsBench(t, server.url).node();
    const away = noticed(node);
    await server.kill();
    await away;
    await node.die();
    t.false(node.link.isUp);
  });

  test('a link that is closed while the server hangs is closed after a bounded wait', async (t) => {
    const server = await ownServer(t);
    const node = await new NatsBench(t, server.url).node();
    server.pause();
    node.queue.offer(newTask());
    await node.die();
    t.false(node.link.isUp);
  });
}
