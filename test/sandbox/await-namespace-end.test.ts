import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { randomInt } from 'node:crypto';
import test from 'ava';
import { awaitNamespaceEnd } from '../../src/sandbox/await-namespace-end.ts';
import { commandOf, processesOf, sandbox, until } from './sandbox-fixture.ts';

test('a sandbox of which nothing is known, or whose number another process has now, is over', async (t) => {
  await t.notThrowsAsync(awaitNamespaceEnd(''));
  await t.notThrowsAsync(awaitNamespaceEnd('{"child-pid": 4194305}'));
  await t.notThrowsAsync(awaitNamespaceEnd(`{"child-pid": ${process.pid}}`));
});

if (sandbox.kind === 'full') {
  test('a sandbox is over when its first process is', async (t) => {
    const seconds = `1000.${randomInt(2 ** 40)}`;
    const bwrap = spawn('bwrap', ['--unshare-user', '--unshare-pid', '--die-with-parent', '--ro-bind', '/', '/', 'sleep', seconds], { stdio: 'ignore' });
    t.teardown(() => bwrap.kill('SIGKILL'));
    await until(() => processesOf(seconds).some((pid) => commandOf(pid) === 'sleep'));
    const [, first = 0] = processesOf(seconds).filter((pid) => commandOf(pid) === 'bwrap');
    let isOver = false;
    const over = awaitNamespaceEnd(`{\n    "child-pid": ${first}\n}\n`).then(() => { isOver = true; });
    let looks = 0;
    await until(() => (looks += 1) > 3);
    t.false(isOver);
    bwrap.kill('SIGKILL');
    await Promise.all([over, once(bwrap, 'exit')]);
    t.false(processesOf(seconds).some((pid) => commandOf(pid) === 'sleep'));
  });
}
