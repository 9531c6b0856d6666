import { spawnSync } from 'node:child_process';
import path from 'node:path';

import test from 'ava';

import { pendingTask, runningTask, succeededTask, taskId } from './fixtures.ts';
import { startLehr } from './run-lehr.ts';
import type { Running } from './run-lehr.ts';
import { startStub } from './stub-server.ts';
import { watchesByHand } from './watched-task.ts';
import type { OpenWatch } from './watched-task.ts';

const CLEAR = '\x1b[K';
const halfway = { stage: 'fetch', bytesDone: 1_048_576n, bytesTotal: 2_097_152n, bytesPerSecond: 262_144n };

/** Starts an import with --wait on a terminal that is so wide. */
async function importOn(
  columns: number, env: NodeJS.ProcessEnv,
): Promise<Running & { readonly watch: OpenWatch; readonly kill: () => void }> {
  const watches = watchesByHand();
  const stub = await startStub({ createTask: () => ({ task: pendingTask, readToken: '', preview: undefined }), watchTasks: watches.watchTasks });
  const wrapper = ['python3', path.join(import.meta.dirname, 'run-in-terminal.py'), String(columns)];
  const running = startLehr(['import', 'https://example.com/disk.qcow2', '--wait'], { wrapper, env: { LEHR_SERVER: stub.address, ...env } });
  const watch = await watches.next();
  watch.send({ $case: 'snapshot', value: runningTask(halfway) });
  return { ...running, watch, kill: stub.kill };
}

const blocks = `${'█'.repeat(11)}${'░'.repeat(12)}`;
const numbers = ' 50%  1.0 MiB of 2.0 MiB  256.0 KiB/s  0:04 left';

const bars: readonly (readonly [name: string, columns: number, env: NodeJS.ProcessEnv, waiting: string, bar: string])[] = [
  ['in colour and blocks', 81, {}, '\x1b[36mwaiting to start\x1b[0m', `\x1b[36mfetch\x1b[0m  \x1b[36m${blocks}\x1b[0m  ${numbers}`],
  ['without colour', 81, { NO_COLOR: '1' }, 'waiting to start', `fetch  ${blocks}  ${numbers}`],
  ['in ASCII', 81, { NO_COLOR: '1', LC_ALL: 'C' }, 'waiting to start', `fetch  [${'#'.repeat(10)}${'-'.repeat(11)}]  ${numbers}`],
  ['where there is little room', 50, { NO_COLOR: '1' }, 'waiting to start', 'fetch   50%  1.0 MiB of 2.0 MiB  256.0 KiB/s'],
  ['where there is hardly any', 13, { NO_COLOR: '1' }, 'waiting to …', 'fetch   50%'],
];

const hasTerminal = spawnSync('python3', ['-c', 'import pty']).status === 0;
if (!hasTerminal) process.stderr.write('python3 is missing; without it no progress bar is drawn on a terminal\n');

if (hasTerminal) {
  for (const [name, columns, env, expected, bar] of bars) {
    test.serial(`a terminal sees one line redrawn in place, ${name}`, async (t) => {
      const lehr = await importOn(columns, env);
      t.teardown(lehr.kill);
      await lehr.untilPrinted('50%');
      lehr.watch.send({ $case: 'change', value: succeededTask });
      const { exitCode, stdout } = await lehr.ended;
      const [accepted, waiting, fetching, cleared] = stdout.replace('accepted\r\n', 'accepted').split('\r');
      t.deepEqual([exitCode, accepted, waiting, fetching], [0, `task ${taskId} accepted`, `${expected}${CLEAR}`, `${bar}${CLEAR}`]);
      t.true(cleared?.startsWith(CLEAR));
    });
  }

  test.serial('Ctrl-C on a terminal leaves it clean and says that the task goes on', async (t) => {
    const lehr = await importOn(80, { NO_COLOR: '1' });
    t.teardown(lehr.kill);
    await lehr.untilPrinted('50%');
    lehr.child.stdin?.write('\x03');
    const { exitCode, stdout } = await lehr.ended;
    t.is(exitCode, 130);
    t.deepEqual(stdout.slice(stdout.lastIndexOf(CLEAR)).split('\r\n'), [
      `${CLEAR}lehr: stopped waiting (interrupted); task ${taskId} goes on`,
      `watch it:  lehr tasks watch ${taskId}`,
      `cancel it: lehr tasks cancel ${taskId}`,
      '',
    ]);
  });
}

test.serial('a dumb terminal and a pipe get plain lines', async (t) => {
  const watches = watchesByHand();
  const stub = await startStub({ createTask: () => ({ task: pendingTask, readToken: '', preview: undefined }), watchTasks: watches.watchTasks });
  t.teardown(stub.kill);
  const wrapper = hasTerminal ? ['python3', path.join(import.meta.dirname, 'run-in-terminal.py'), '80'] : [];
  const { ended } = startLehr(['import', 'https://example.com/disk.qcow2', '--wait', '--server', stub.address], { wrapper, env: { TERM: 'dumb' } });
  (await watches.next()).send({ $case: 'snapshot', value: runningTask(halfway) }, { $case: 'change', value: succeededTask });
  const { stdout } = await ended;
  t.deepEqual(stdout.split(/\r?\n/).slice(0, 4), [
    `task ${taskId} accepted`, 'waiting to start', 'fetch: 50%, 1.0 MiB of 2.0 MiB, 256.0 KiB/s, 0:04 left', `import ${taskId} (web) succeeded`,
  ]);
});
