import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { randomInt } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'ava';
import type { ExecutionContext } from 'ava';
import { searchPathOf } from '../../src/sandbox/find-program.ts';
import { probeSandbox } from '../../src/sandbox/probe-sandbox.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { hasTool } from '../tooling/has-tool.ts';
import { commandOf, isRoot, lentFiles, never, processesOf, runScript, sandbox, until } from './sandbox-fixture.ts';

const tools = ['qemu-img', 'bwrap', 'prlimit', 'setpriv'] as const;

/** A folder with links to some of the tools, and scripts that stand in for others. */
function folderWith(t: Pick<ExecutionContext, 'teardown'>, linked: readonly string[], scripts: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), 'lehr-path-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  for (const name of linked) symlinkSync(join('/usr/bin', name), join(folder, name));
  for (const [name, script] of Object.entries(scripts)) writeFileSync(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  return folder;
}

const without = (name: string): readonly string[] => tools.filter((one) => one !== name);

async function probe(searchPath: string, policy: 'required' | 'weak' = 'required'): Promise<{ readonly found: Sandbox; readonly starts: readonly string[] }> {
  const starts: string[] = [];
  return { found: await probeSandbox({ sandbox: policy, searchPath, onStart: (name) => void starts.push(name) }), starts };
}

test('a machine without qemu-img is told what to install, whatever else it has', async (t) => {
  const { found, starts } = await probe(folderWith(t, without('qemu-img').filter((name) => name !== 'bwrap')));
  t.deepEqual(found, { kind: 'none', missing: 'qemu-img is missing: install it (Debian: qemu-utils).' });
  t.false(starts.includes('qemu-img'));
});

test('an empty search path finds nothing, and a relative one is not looked at', async (t) => {
  for (const searchPath of ['', '.', 'usr/bin']) t.like((await probe(searchPath)).found, { kind: 'none', missing: 'qemu-img is missing: install it (Debian: qemu-utils).' });
});

if (hasTool('qemu-img')) {
  test('a machine without util-linux is told so, even where weak is enough', async (t) => {
    const missing = 'prlimit or setpriv is missing, so qemu-img cannot be confined: install util-linux.';
    t.deepEqual((await probe(folderWith(t, ['qemu-img', 'setpriv']), 'weak')).found, { kind: 'none', missing });
    t.deepEqual((await probe(folderWith(t, ['qemu-img', 'prlimit']))).found, { kind: 'none', missing });
  });

  test('without bubblewrap nothing runs, unless the operator settled for a weak sandbox', async (t) => {
    const folder = folderWith(t, without('bwrap'));
    const missing = 'bwrap is missing, so qemu-img cannot be isolated: install it (Debian: bubblewrap).';
    const { found, starts } = await probe(folder);
    t.deepEqual(found, { kind: 'none', missing: `${missing} Or let qemu-img see what the service sees, with the setting sandbox: weak.` });
    t.false(starts.includes('qemu-img'));
    t.like((await probe(folder, 'weak')).found, { kind: 'weak', missing });
  });

  test('where bubblewrap may not isolate, what it said is told with what to allow, and nothing runs', async (t) => {
    const folder = folderWith(t, without('bwrap'), { bwrap: 'echo "bwrap: No permissions to create new namespace" >&2; exit 1' });
    const { found } = await probe(folder);
    t.is(found.kind, 'none');
    const { missing } = found as { missing: string };
    t.true(missing.startsWith('qemu-img cannot be isolated here (bwrap: No permissions to create new namespace): '), missing);
    t.regex(missing, isRoot ? /CAP_SYS_ADMIN/ : /user\.max_user_namespaces/);
    t.regex(missing, /sandbox: weak\.$/);
    t.is((await probe(folder, 'weak')).found.kind, 'weak');
  });

  test('a qemu-img that does not run at all is no sandbox, and weak is not enough', async (t) => {
    const folder = folderWith(t, without('qemu-img').filter((name) => name !== 'bwrap'), { 'qemu-img': 'exit 1' });
    t.is((await probe(folder, 'weak')).found.kind, 'none');
  });

  test('in a weak sandbox a program has limits and no privileges, reads and writes its files, and ends as elsewhere', async (t) => {
    const { found } = await probe(folderWith(t, without('bwrap')), 'weak');
    if (found.kind !== 'weak') return t.fail();
    const files = lentFiles(t, 'disk\n');
    const script = 'while read name value; do case $name in Uid:|NoNewPrivs:|CapEff:) echo $name ${value%%[!0-9a-f]*};; esac; done < /proc/self/status; read line < $1; echo $line > $2; ulimit -v; env';
    const { ending, output } = await runScript(found.run, script, files);
    t.like(ending, { kind: 'exited', code: 0 });
    const [, uid = ''] = /^Uid: (\d+)$/m.exec(output) ?? [];
    t.regex(uid, isRoot ? /^655(?:2\d|3[0-3])$/ : new RegExp(`^${process.getuid!()}$`));
    t.regex(output, /^CapEff: 0{16}$/m);
    t.regex(output, /^NoNewPrivs: 1$/m);
    t.regex(output, /^2097152$/m);
    t.like((await runScript(found.run, 'read line < $1; echo $line', [{ ...files[1], access: 'read' }])), { output: 'disk\n' });
    t.like((await runScript(found.run, 'kill -SEGV $$')).ending, { kind: 'signaled', signal: 'SIGSEGV' });
    t.like((await runScript(found.run, 'while :; do echo 0123456789; done > $2', files, 4_096)).ending, { kind: 'signaled', signal: 'SIGXFSZ' });
    t.like((await runScript(found.run, 'exit 3')).ending, { kind: 'exited', code: 3 });
  });

  test('in a weak sandbox children die with their program, and with the signal', async (t) => {
    const { found } = await probe(folderWith(t, without('bwrap')), 'weak');
    if (found.kind !== 'weak') return t.fail();
    const marker = `weak-${randomInt(2 ** 40)}`;
    const { ending } = await runScript(found.run, '( while :; do :; done ) >/dev/null 2>&1 & exit 0', [], 0, never, marker);
    t.like(ending, { kind: 'exited', code: 0 });
    await until(() => processesOf(marker).length === 0);
    const cancel = new AbortController();
    const canceled = new Error('canceled');
    const running = runScript(found.run, '( while :; do :; done ) & while :; do :; done', [], 0, cancel.signal, marker);
    await until(() => processesOf(marker).length === 2);
    cancel.abort(canceled);
    t.is(await t.throwsAsync(running), canceled);
    await until(() => processesOf(marker).length === 0);
    t.pass();
  });
}

if (sandbox.kind === 'full') {
  test('every program that is started is counted, on the way and later', async (t) => {
    const { found, starts } = await probe(searchPathOf(process.env['PATH']));
    if (found.kind !== 'full') return t.fail();
    t.deepEqual(starts.toSorted(), ['ldd', 'ldd', 'ldd', 'ldd', 'qemu-img']);
    const before = starts.length;
    await found.run({ program: found.qemuImg, files: [], args: () => ['--version'], fileBytes: 0 }, never);
    t.deepEqual(starts.slice(before), ['qemu-img']);
  });

  test('where the service is not root, a user namespace gives the same sandbox', (t) => {
    if (!isRoot) return t.pass('The other tests have run in it.');
    const { stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'unprivileged-service.ts')], { encoding: 'utf8' });
    const { kind, missing, looked } = JSON.parse(stdout) as { kind: string; missing?: string; looked?: { ending: object; output: string } };
    t.is(stderr, kind === 'full' ? '' : `${missing!}; without it nothing runs in a sandbox\n`);
    // This machine may deny user namespaces to others than root; then it has to say so.
    if (kind !== 'full') return t.regex(missing!, /user\.max_user_namespaces/);
    t.like(looked, { ending: { kind: 'exited', code: 0 } });
    t.regex(looked!.output, /^disk\n2\n0\n[^\n]*\n/);
    t.deepEqual(looked!.output.split('\n')[3]!.split(' ').filter((path) => !/^\/(?:lib|lib64|lib32)$/.test(path)), ['/dev', '/etc', '/source', '/target', '/usr']);
  });

  const paths: readonly (readonly [kind: string, linked: readonly string[]])[] = [['full', tools], ['weak', without('bwrap')]];
  for (const [kind, linked] of paths) {
    test(`a service that is killed leaves nothing behind that runs in a ${kind} sandbox`, async (t) => {
      const seconds = `1000.${randomInt(2 ** 40)}`;
      const service = execFile(process.execPath, [join(import.meta.dirname, 'service-that-dies.ts'), folderWith(t, linked), seconds]);
      t.teardown(() => service.kill('SIGKILL'));
      let said = '';
      service.stderr?.on('data', (text: string) => { said += text; });
      await until(() => service.exitCode !== null || processesOf(seconds).some((pid) => commandOf(pid) === 'sleep'));
      t.is(service.exitCode, null, `it ended before it was killed: ${said}`);
      service.kill('SIGKILL');
      await until(() => processesOf(seconds).length === 0);
      t.pass();
    });
  }
}
