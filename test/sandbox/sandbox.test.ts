import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import test from 'ava';
import { addressSpaceBytes, openFilesLimit, processesLimit } from '../../src/sandbox/bounds.ts';
import { sandboxGroup } from '../../src/sandbox/lend-file.ts';
import { programAt } from '../../src/sandbox/find-program.ts';
import { commandOf, isRoot, lentFiles, never, processesOf, runScript, sandbox, shell, sleep, until } from './sandbox-fixture.ts';

const walk = 'walk() { for f in "$1"/* "$1"/.[!.]*; do if [ -d "$f" ]; then walk "$f"; elif [ -e "$f" ]; then echo "$f"; fi; done; }; walk ""';

/** Fields of /proc/<pid>/status. */
function statusOf(pid: number): Record<string, string> {
  const lines = readFileSync(`/proc/${pid}/status`, 'latin1').split('\n').map((line) => line.split(':\t'));
  return Object.fromEntries(lines.map(([name = '', value = '']) => [name, value.trim()]));
}

if (sandbox.kind === 'full') {
  const { run, qemuImg } = sandbox;

  test('a program sees itself, its libraries, what confines it, /dev/null and its files, and nothing else', async (t) => {
    const { ending, output } = await runScript(run, walk, lentFiles(t, 'disk\n'));
    t.like(ending, { kind: 'exited', code: 0 });
    const tools = ['prlimit', 'setpriv'].map((name) => `/usr/bin/${name}`);
    const libraries = output.split('\n').filter((path) => /^(?:\/usr)?\/lib(?:64|32)?\/.*\.so[.\d]*$/.test(path));
    const others = output.trim().split('\n').filter((path) => !libraries.includes(path));
    t.true(shell.libraries.length > 1 && shell.libraries.every((library) => libraries.includes(library)));
    t.true(libraries.length < shell.libraries.length + 5, output);
    t.deepEqual(others.toSorted(), ['/dev/null', '/etc/ld.so.cache', '/source', '/target', shell.path, ...tools].toSorted());
  });

  test('it reads the one file, writes the other, and can do nothing else to either or to the rest', async (t) => {
    const files = lentFiles(t, 'disk\n');
    const attempts = ['read line < /source && echo "$line"', 'echo changed > /source', 'echo image > /target', 'echo more > /else', 'echo more > /usr/bin/else'];
    const { output } = await runScript(run, attempts.map((one) => `( ${one} ) 2>/dev/null; echo $?`).join('\n'), files);
    t.is(output, 'disk\n0\n2\n0\n2\n2\n');
    t.is(readFileSync(files[0].path, 'utf8'), 'disk\n');
    t.is(readFileSync(files[1].path, 'utf8'), 'image\n');
  });

  test('it has no user, group, capability, privilege or network of ours, a bound on everything, and an empty environment', async (t) => {
    const marker = `1000.${String(process.hrtime.bigint())}`;
    const cancel = new AbortController();
    const files = lentFiles(t, 'disk\n');
    t.teardown(() => cancel.abort(new Error('over')));
    const running = t.throwsAsync(run({ program: sleep, files, args: () => [marker], fileBytes: 12_345 }, cancel.signal));
    await until(() => processesOf(marker).some((pid) => commandOf(pid) === 'sleep'));
    const pid = processesOf(marker).find((one) => commandOf(one) === 'sleep')!;
    const { Uid, Gid, Groups, CapInh, CapPrm, CapEff, CapBnd, CapAmb, NoNewPrivs, Seccomp, NSpid } = statusOf(pid);
    const none = '0'.repeat(16);
    t.deepEqual({ CapInh, CapPrm, CapEff, CapBnd, CapAmb }, { CapInh: none, CapPrm: none, CapEff: none, CapBnd: none, CapAmb: none });
    t.is(NoNewPrivs, '1');
    t.is(Seccomp, process.arch === 'x64' || process.arch === 'arm64' ? '2' : '0');
    t.is(NSpid!.split('\t').length, 1 + (statusOf(process.pid)['NSpid']!.split('\t').length));
    // What this process itself inherited beyond 15, Node leaves open.
    t.deepEqual(readdirSync(`/proc/${pid}/fd`).map(Number).filter((fd) => fd <= 15).toSorted((a, b) => a - b), [0, 1, 2]);
    if (isRoot) {
      t.regex(Uid!, /^(655(?:2\d|3[0-3]))\t\1\t\1\t\1$/);
      t.is(Gid, Array.from({ length: 4 }, () => '65520').join('\t'));
      t.is(Groups, '');
      for (const name of ['mnt', 'pid', 'net', 'ipc', 'uts']) t.not(readlinkSync(`/proc/${pid}/ns/${name}`), readlinkSync(`/proc/self/ns/${name}`), name);
      t.deepEqual(readFileSync(`/proc/${pid}/net/dev`, 'latin1').split('\n').slice(2).map((line) => line.split(':')[0]!.trim()), ['lo', '']);
      t.deepEqual(readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').toSorted(), ['', 'LC_ALL=C', 'MALLOC_ARENA_MAX=2', 'PWD=/']);
      const limits = Object.fromEntries(readFileSync(`/proc/${pid}/limits`, 'latin1').split('\n').map((line) => [line.slice(0, 26).trim(), line.slice(26, 68).trim().split(/\s+/)]));
      const both = (value: number): readonly string[] => [String(value), String(value)];
      t.deepEqual(limits['Max address space'], both(addressSpaceBytes));
      t.deepEqual(limits['Max file size'], both(12_345));
      t.deepEqual(limits['Max open files'], both(openFilesLimit));
      t.deepEqual(limits['Max processes'], both(processesLimit));
      t.deepEqual(limits['Max core file size'], both(0));
      // While it runs the files are its own; nobody else can walk to them.
      t.deepEqual(files.map(({ path }) => (statSync(path).mode & 0o777).toString(8)), ['640', '600']);
    }
    cancel.abort(new Error('seen enough'));
    await running;
    // The one that was read may be read by a program of another node at this moment.
    const own = [process.getuid!(), process.getgid!(), '600'];
    t.deepEqual(files.map(({ path }) => [statSync(path).uid, statSync(path).gid, (statSync(path).mode & 0o777).toString(8)]),
      [isRoot ? [process.getuid!(), sandboxGroup, '640'] : own, own]);
  });

  test('a file that the program made public or executable is not so afterwards', async (t) => {
    const files = lentFiles(t, 'disk\n');
    const chmod = await programAt('/bin/chmod', () => undefined);
    t.like(await run({ program: chmod, files, args: () => ['0777', '/target'], fileBytes: 0 }, never), { kind: 'exited', code: 0 });
    t.is((statSync(files[1].path).mode & 0o7777).toString(8), '600');
    const ending = await run({ program: chmod, files, args: () => ['0777', '/source'], fileBytes: 0 }, never);
    t.like(ending, { kind: 'exited', code: 1 });
    t.is((statSync(files[0].path).mode & 0o7777).toString(8), isRoot ? '640' : '600');
  });

  test('a file is read by several programs, and one that ends takes it from no other, of whatever node', async (t) => {
    const [source] = lentFiles(t, 'disk\n');
    const read = 'read line < /source; echo "$line"';
    const both = await Promise.all([1, 2].map(() => runScript(run, read, [source])));
    t.deepEqual(both.map(({ output }) => output), ['disk\n', 'disk\n']);
    // What another node lends, and still reads, is not taken back by a program that ends here.
    const lent = statSync(source.path);
    t.is((await runScript(run, read, [source])).output, 'disk\n');
    t.deepEqual([statSync(source.path).gid, statSync(source.path).mode], [lent.gid, lent.mode]);
    if (isRoot) t.deepEqual([lent.gid, (lent.mode & 0o777).toString(8)], [sandboxGroup, '640']);
  });

  test('qemu-img opens no file that an image points to', async (t) => {
    const files = lentFiles(t, '');
    const [secret] = lentFiles(t, 'x'.repeat(512));
    // CVE-2015-5163: such an image never gets so far, since our own inspection refuses it; here it is given to qemu-img all the same.
    t.is(spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', secret.path, '-F', 'raw', files[0].path]).status, 0);
    const ending = await run({ program: qemuImg, files, args: ([source = '', target = '']) => ['convert', '-f', 'qcow2', '-O', 'raw', source, target], fileBytes: 1 << 20 }, never);
    t.like(ending, { kind: 'exited', code: 1 });
    t.regex((ending as { errorTail: string }).errorTail, /Could not open .*No such file or directory/s);
    t.is(statSync(files[1].path).size, 0);
  });

  const page = 'page=0123456789abcdef; for i in 1 2 3 4 5 6 7 8; do page=$page$page; done';
  const endings: readonly (readonly [title: string, script: string, ending: object])[] = [
    ['that exits with an error keeps the end of what it said', 'echo first >&2; echo "no such disk" >&2; exit 3', { kind: 'exited', code: 3, errorTail: 'first\nno such disk\n' }],
    ['that crashes ends by its signal', 'kill -SEGV $$', { kind: 'signaled', signal: 'SIGSEGV' }],
    ['that writes more than it may ends by SIGXFSZ', 'while :; do echo 0123456789; done > /target', { kind: 'signaled', signal: 'SIGXFSZ' }],
    ['that prints without end is killed', `${page}; while :; do echo $page; done`, { kind: 'flooded' }],
    ['that complains without end is killed', `${page}; while :; do echo $page >&2; done`, { kind: 'flooded' }],
  ];
  for (const [title, script, expected] of endings) {
    test(`a program ${title}, and nothing of it is left`, async (t) => {
      const marker = randomUUID();
      const { ending } = await runScript(run, script, lentFiles(t, 'disk\n'), 4_096, never, marker);
      t.like(ending, expected);
      t.deepEqual(processesOf(marker), []);
    });
  }

  const stopped = `${shell.path} -c 'kill -STOP $$' $0`;
  const abandoned: readonly (readonly [title: string, script: string, processes: number])[] = [
    ['hangs', 'while :; do :; done', 1],
    ['ignores all signals that it can', 'trap "" INT TERM HUP QUIT; while :; do :; done', 1],
    ['has many children that stand still', `i=0; while [ $i -lt 40 ]; do ${stopped} & i=$((i+1)); done; while :; do :; done`, 41],
  ];
  for (const [title, script, processes] of abandoned) {
    test(`a program that ${title} is killed with all its children when the signal aborts, and the run rejects with its reason`, async (t) => {
      const marker = randomUUID();
      const cancel = new AbortController();
      const canceled = new Error('canceled');
      const running = runScript(run, script, [], 0, cancel.signal, marker);
      const shells = (): number => processesOf(marker).filter((pid) => commandOf(pid) === basename(shell.path)).length;
      await until(() => shells() >= processes);
      cancel.abort(canceled);
      t.is(await t.throwsAsync(running), canceled);
      t.deepEqual(processesOf(marker), []);
    });
  }

  test('a program that multiplies without end comes to the limit of processes, and nothing of it is left', async (t) => {
    const marker = randomUUID();
    const { ending } = await runScript(run, `while :; do ${stopped} & done`, [], 0, never, marker);
    t.like(ending, { kind: 'exited', code: 2 });
    t.regex((ending as { errorTail: string }).errorTail, /Cannot fork/);
    t.deepEqual(processesOf(marker), []);
  });

  test('children that outlive their program are killed with it', async (t) => {
    const marker = randomUUID();
    const { ending } = await runScript(run, '( trap "" HUP; while :; do :; done ) >/dev/null 2>&1 & exit 0', [], 0, never, marker);
    t.like(ending, { kind: 'exited', code: 0 });
    t.deepEqual(processesOf(marker), []);
  });

  test('a run that is canceled before it begins starts nothing', async (t) => {
    const canceled = new Error('canceled');
    t.is(await t.throwsAsync(runScript(run, 'echo 1', [], 0, AbortSignal.abort(canceled))), canceled);
  });
}
