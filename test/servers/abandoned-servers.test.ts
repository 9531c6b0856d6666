import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

import test from 'ava';

import { hasTool } from '../tooling/has-tool.ts';

/** Nothing tells a stranger of the end of a process or a folder: they are looked at in this interval. */
const LOOK_INTERVAL_MS = 10;

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

if (hasTool('nats-server')) {
  test('servers end and their temporary folders go when the process that started them is killed', async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'abandoned-'));
    const args = [path.join(import.meta.dirname, 'abandoned-servers.ts'), hasTool('kafka') ? 'kafka' : 'no-kafka'];
    const starter = spawn(process.execPath, args, { env: { ...process.env, TMPDIR: folder }, stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = (await once(createInterface({ input: starter.stdout }), 'line')) as [string];
    const pids = JSON.parse(line) as readonly number[];
    t.deepEqual(pids.filter(isRunning), pids);

    starter.kill('SIGKILL');
    while (pids.some(isRunning) || (await readdir(folder)).length > 0) await delay(LOOK_INTERVAL_MS);
    t.deepEqual(pids.filter(isRunning), []);
    await t.notThrowsAsync(rmdir(folder));
  });
}
