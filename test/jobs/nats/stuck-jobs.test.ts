import { cpSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import { startNats } from '../../../scripts/servers/start-nats.ts';
import { hasTool } from '../../tooling/has-tool.ts';
import { always, fasterClock, NatsBench, newTask, noticed } from './nats-bench.ts';

const replaced = 'a job that lay in NATS and reached nobody is replaced';

if (hasTool('nats-server')) {
  test('a job that came back when nats-server died, and reaches nobody, is replaced as sweeps offer its task', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'lehr-stuck-'));
    const server = await startNats({ folder });
    t.teardown(async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    });
    const bench = new NatsBench(t, server.url);
    // No faster: the server says that it lives by the clock of the machine.
    const node = await bench.node({ clock: fasterClock(2) });
    const taskId = newTask();
    const reborn = async (meanwhile: () => void): Promise<void> => {
      const [away, back] = [noticed(node), node.nextLoss];
      await server.terminate();
      await away;
      meanwhile();
      await server.start();
      await back;
    };
    const state = async (): Promise<readonly number[]> => {
      const manager = await bench.manager();
      const { messages } = (await manager.streams.info(bench.names.stream)).state;
      const { num_pending: waiting, num_ack_pending: held } = await manager.consumers.info(bench.names.stream, bench.names.consumer);
      return [messages, waiting, held];
    };

    node.queue.offer(taskId);
    const job = await node.queue.take(always);
    // What a disk may keep of a server that dies hard: of its jobs less than of the acknowledgements.
    const kept = join(folder, 'kept');
    const [jobs = ''] = globSync(join(folder, 'store/**/msgs'));
    await reborn(() => { cpSync(jobs, kept, { recursive: true }); });
    job.done();
    while ((await state())[0] !== 0) t.log('the acknowledgement is on its way');
    await reborn(() => {
      rmSync(jobs, { recursive: true });
      cpSync(kept, jobs, { recursive: true });
    });
    t.deepEqual(await state(), [1, 0, 0], 'a job lies there, and is neither waiting nor held');

    const waiting = newTask();
    const sweeps = setInterval(() => { node.queue.offer(taskId); }, 50);
    try {
      t.is(await node.takeDone(), taskId);
    } finally {
      clearInterval(sweeps);
    }
    t.deepEqual(node.log.said.filter(({ message }) => message === replaced).map(({ fields }) => fields), [{ task_id: taskId }]);
    node.queue.offer(waiting);
    t.is(await node.takeDone(), waiting);
  });

  test('a job that waits for its turn, or is worked on, is replaced by no number of sweeps', async (t) => {
    const server = await startNats();
    t.teardown(() => server.stop());
    const bench = new NatsBench(t, server.url);
    const clock = fasterClock(100);
    const node = await bench.node({ clock });
    const [held, waiting] = [newTask(), newTask()];
    node.queue.offer(held);
    const job = await node.queue.take(always);
    node.queue.offer(waiting);
    for (let sweep = 0; sweep < 10; sweep += 1) {
      for (const taskId of [held, waiting]) node.queue.offer(taskId);
      await node.link.connection.flush();
      await new Promise<void>((resolve) => { clock.schedule(30_000, resolve); });
    }
    t.deepEqual(node.log.said, []);
    t.is((await (await bench.manager()).streams.info(bench.names.stream)).state.messages, 2);
    job.done();
    t.is(await node.takeDone(), waiting);
  });
}
