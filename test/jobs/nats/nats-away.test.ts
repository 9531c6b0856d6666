import test from 'ava';
import { startNats, type NatsServer } from '../../../scripts/servers/start-nats.ts';
import { outflowLimitBytes } from '../../../src/jobs/nats/outflow.ts';
import { hasTool } from '../../tooling/has-tool.ts';
import { always, NatsBench, newTask, type QueueNode, type TestScope } from './nats-bench.ts';

async function ownServer(scope: TestScope): Promise<NatsServer> {
  const server = await startNats();
  scope.teardown(() => server.stop());
  return server;
}

/** Resolves when the link is down. */
function down({ link }: QueueNode): Promise<void> {
  return new Promise((resolve) => {
    link.attach((_, lost) => { lost.addEventListener('abort', () => { resolve(); }, { once: true }); });
  });
}

if (hasTool('nats-server')) {
  test('while NATS is away each node takes the jobs that it is offered itself; when it is back they share them again', async (t) => {
    const server = await ownServer(t);
    const bench = new NatsBench(t, server.url);
    const [one, other] = [await bench.node(), await bench.node()];
    const waiting = other.takeDone();
    const away = [down(one), down(other)];
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

  test('a job that is done while NATS is away is handed out again later, and one whose holder is back is kept', async (t) => {
    const server = await ownServer(t);
    const bench = new NatsBench(t, server.url);
    const delivery = { ackWaitMs: 1_000, maxDeliver: 20 };
    const node = await bench.node({ delivery });
    const ids = [newTask(), newTask()];
    for (const id of ids) node.queue.offer(id);
    const jobs = [await node.queue.take(always), await node.queue.take(always)];
    const away = down(node);
    await server.kill();
    await away;
    jobs[0]!.done();
    await server.start();
    t.is(await node.takeDone(), ids[0]!);
    jobs[1]!.done();
    t.is(await node.takeDone(), ids[1]!, 'since it was handed out again while it was held, it is looked at once more');
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
    const away = down(node);
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
    t.is(await node.takeDone(), next);
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
    const away = down(node);
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
