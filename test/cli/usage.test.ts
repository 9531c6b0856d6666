import test from 'ava';

import { runLehr, runProcess } from './run-lehr.ts';
import { Refusal, startStub } from './stub-server.ts';

const seeHelp = 'lehr --help lists the commands, lehr COMMAND --help the options';

const wrong: readonly (readonly [line: string, ...stderr: readonly string[]])[] = [
  ['taks', 'unknown command \'taks\'', 'Did you mean tasks?', seeHelp],
  ['tasks lst', 'unknown command \'lst\'', 'Did you mean list?', seeHelp],
  ['tasks list --stat x', 'unknown option \'--stat\'', 'Did you mean --state?', seeHelp],
  ['tasks show', 'missing required argument \'id\'', seeHelp],
  ['tasks show a b', 'too many arguments for \'show\'. Expected 1 argument but got 2: a, b.', seeHelp],
  ['tasks list --limit 0', 'option \'--limit <count>\' argument \'0\' is invalid. Write a number from 1 to 1000000.', seeHelp],
  ['tasks list --label x', 'option \'-l, --label <key=value>\' argument \'x\' is invalid. Write KEY=VALUE.', seeHelp],
  ['tasks list --server a:b:c', 'option \'--server <host:port>\' argument \'a:b:c\' is invalid. Write HOST:PORT, such as 127.0.0.1:50051.', seeHelp],
  ['import x --ttl 48', 'option \'--ttl <duration>\' argument \'48\' is invalid. Write a number and a unit (ms, s, m, h, d), such as 30s, 48h or 1h30m; ' +
    'at most 3650d.', seeHelp],
  ['import x --format floppy', 'option \'--format <format>\' argument \'floppy\' is invalid. Choose from raw, qcow2, vmdk, vhd, vhdx, vdi, iso.', seeHelp],
  ['--json=1 tasks list', 'unknown option \'--json=1\'', 'Did you mean --json?', seeHelp],
  ['--server x:1 serve', 'options before `serve` do not apply to it', 'write: lehr serve [settings]; `lehr serve --help` lists them'],
];

for (const [line, message, ...hints] of wrong) {
  test(`lehr ${line} is refused with what to write instead`, async (t) => {
    t.deepEqual(await runLehr(line.split(' ')), { exitCode: 2, stdout: '', stderr: [`lehr: ${message ?? ''}`, ...hints, ''].join('\n') });
  });
}

test('usage errors are JSON where that was asked for', async (t) => {
  t.deepEqual(await runLehr(['taks', '--json']), {
    exitCode: 2, stdout: '',
    stderr: `{"error":{"code":"INVALID_ARGUMENT","reason":"USAGE","message":"unknown command 'taks'","hints":["Did you mean tasks?","${seeHelp}"]}}\n`,
  });
});

const commands = [
  [], ['import'], ['tasks'], ['tasks', 'list'], ['tasks', 'show'], ['tasks', 'watch'], ['tasks', 'cancel'], ['tasks', 'history'], ['images'],
  ['images', 'list'], ['images', 'show'], ['images', 'download'], ['images', 'update'], ['images', 'delete'], ['events'], ['verify'],
];

for (const command of commands) {
  test(`lehr ${[...command, '--help'].join(' ')} explains itself`, async (t) => {
    const ran = await runLehr([...command, '--help']);
    t.deepEqual([ran.exitCode, ran.stderr], [0, '']);
    t.true(ran.stdout.startsWith(`Usage: ${['lehr', ...command].join(' ')}`));
    t.is(/Examples?:\n {2}\$ lehr /.test(ran.stdout), command.join() !== 'tasks' && command.join() !== 'images');
    t.regex(ran.stdout, /--server <host:port> +/);
  });
}

test('lehr without a command shows its help on stderr', async (t) => {
  const ran = await runLehr([]);
  t.deepEqual([ran.exitCode, ran.stdout, ran.stderr.split('\n')[0]], [2, '', 'Usage: lehr [options] <command>']);
});

test.serial('lehr --version prints the version', async (t) => {
  const ran = await runProcess(['--version']);
  t.is(ran.exitCode, 0);
  t.regex(ran.stdout, /^\d+\.\d+\.\d+\n$/);
});

test.serial('a server that is away is told from everything else', async (t) => {
  const stub = await startStub({});
  stub.kill();
  t.deepEqual(await runProcess(['tasks', 'list', '--server', stub.address]), {
    exitCode: 5, stdout: '',
    stderr: `lehr: cannot reach the server at ${stub.address} (connection refused)\n` +
      'is the server running? start it with `lehr serve`, or name another one with --server HOST:PORT\n',
  });
});

test.serial('a server that does not answer in time is given up', async (t) => {
  const stub = await startStub({ listTasks: () => new Promise(() => undefined) });
  t.teardown(stub.kill);
  const ran = await runLehr(['tasks', 'list', '--timeout', '300ms', '--server', stub.address]);
  t.deepEqual(ran, { exitCode: 5, stdout: '', stderr: 'lehr: gave up: --timeout has passed\ngive it longer with --timeout, such as --timeout 2m\n' });
});

test.serial('a method that the server does not have is refused with a guess at why', async (t) => {
  const stub = await startStub({});
  t.teardown(stub.kill);
  const ran = await runLehr(['tasks', 'list', '--server', stub.address]);
  t.is(ran.exitCode, 4);
  t.regex(ran.stderr, /\nthe server may be older than this command line, or something else may listen there\n$/);
});

test.serial('an error inside the server is an error inside lehr', async (t) => {
  const stub = await startStub({ listTasks: () => { throw new Refusal('INTERNAL', 'INTERNAL', 'see incident 7'); } });
  t.teardown(stub.kill);
  t.deepEqual(await runLehr(['tasks', 'list', '--server', stub.address]), { exitCode: 70, stdout: '', stderr: 'lehr: see incident 7\n' });
});
