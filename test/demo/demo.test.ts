import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import test from 'ava';
import type { ExecutionContext } from 'ava';

import { readPage } from '../docs/page.ts';
import { shapeOf } from '../docs/shape-of.ts';

const root = path.resolve(import.meta.dirname, '../..');

interface DemoRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What lies in the temporary folder afterwards. */
  readonly leftFiles: readonly string[];
  /** Command lines that name that folder and still run. */
  readonly leftProcesses: readonly string[];
}

/** Runs the demo with a temporary folder of its own; `meanwhile` is called with each piece of output. */
async function runDemo(t: ExecutionContext, env: NodeJS.ProcessEnv,
  meanwhile: (text: string, child: ReturnType<typeof spawn>) => void = () => undefined): Promise<DemoRun> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lehr-test-demo-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const child = spawn(process.execPath, ['demo/demo.ts'], { cwd: root, env: { TMPDIR: folder, LANG: 'C.UTF-8', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    meanwhile(text, child);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  const [exitCode] = await once(child, 'exit') as [number | null];
  return { exitCode, stdout, stderr, leftFiles: await readdir(folder), leftProcesses: await processesNaming(folder) };
}

/** Linux only; elsewhere there is no such folder and nothing is found. */
async function processesNaming(text: string): Promise<readonly string[]> {
  if (!existsSync('/proc/self/cmdline')) return [];
  const ids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(ids.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(text));
}

const essentials: readonly RegExp[] = [
  /^A qcow2 of 28 MiB .* served at http:\/\/127\.0\.0\.1:\d+\/debian\.qcow2$/m,
  /^gRPC on 127\.0\.0\.1:\d+, HTTP on http:\/\/127\.0\.0\.1:\d+, data in /m,
  /^\$ lehr import http:.* --name debian --label env=demo --digest sha256:[0-9a-f]{64} --wait$/m,
  /^fetch: \d+%, [\d.]+ MiB of 28\.\d MiB, [\d.]+ MiB\/s, \d:\d\d left$/m,
  /^import [0-9a-f-]{36} \(debian\) succeeded$/m,
  /^disk size +256\.0 MiB /m,
  /^ {2}1 {2}\S+Z {2}TaskCreated +import http:.*\n {2}2 .*AttemptStarted.*\n {2}3 .*fetch.*\n {2}4 .*inspect.*\n {2}5 .*ImageStored.*\n {2}6 .*TaskSucceeded/m,
  /^ {2}failure +NOT_A_DISK_IMAGE in stage fetch\n {2}message +.*HTML page/m,
  /^verified 10 events of 3 streams: the chain holds$/m,
  /^npx lehr --help /m,
];

test('the demo tells its story to the end, in plain text where it is piped, and leaves nothing behind', async (t) => {
  const { exitCode, stdout, stderr, leftFiles, leftProcesses } = await runDemo(t, { PATH: process.env['PATH'] });
  t.is(stderr, '');
  for (const line of essentials) t.regex(stdout, line);
  t.notRegex(stdout, /\x1b|\r/);
  const [, transcript = ''] = /<!-- transcript of the demo;.*-->\n```text\n([^]*?)```/.exec(readPage('README.md').text) ?? [];
  t.deepEqual(shapeOf(transcript), shapeOf(stdout), 'the transcript in README.md is that of another demo');
  t.deepEqual({ exitCode, leftFiles, leftProcesses }, { exitCode: 0, leftFiles: [], leftProcesses: [] });
});

test('Ctrl-C during the import, on a machine without qemu-img, ends everything with 130', async (t) => {
  const { exitCode, stdout, stderr, leftFiles, leftProcesses } = await runDemo(t, { PATH: '' }, (text, child) => {
    if (text.includes('fetch: ')) child.kill('SIGINT');
  });
  t.regex(stdout, /made by the demo itself \(there is no qemu-img here\)/);
  t.notRegex(stdout, /succeeded/);
  t.is(stderr, '\nInterrupted; everything is cleaned up.\n');
  t.deepEqual({ exitCode, leftFiles, leftProcesses }, { exitCode: 130, leftFiles: [], leftProcesses: [] });
});

test('a reader that leaves ends the demo without a word', async (t) => {
  const { exitCode, stderr, leftFiles, leftProcesses } = await runDemo(t, { PATH: '' }, (_text, child) => child.stdout?.destroy());
  t.is(stderr, '');
  t.deepEqual({ exitCode, leftFiles, leftProcesses }, { exitCode: 141, leftFiles: [], leftProcesses: [] });
});

test('a machine without a temporary folder is told what to do', async (t) => {
  const { exitCode, stderr } = await runDemo(t, { TMPDIR: '/nowhere' });
  t.is(stderr, '\ndemo: no folder can be made in /nowhere. Name another one: TMPDIR=/path npm run demo\n');
  t.is(exitCode, 1);
});
