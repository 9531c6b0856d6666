import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import type { ExecutionContext } from 'ava';

const root = path.resolve(import.meta.dirname, '../..');

/** How a demo ended, and what it left. */
export interface DemoRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** What lies in the temporary folder afterwards. */
  readonly leftFiles: readonly string[];
  /** Command lines that name that folder and still run. */
  readonly leftProcesses: readonly string[];
}

/** A demo that runs. */
export type DemoProcess = ReturnType<typeof spawn>;

/** Runs a script of demo/ with a temporary folder of its own; `meanwhile` is called with each piece of output. */
export async function runDemo(t: ExecutionContext, words: readonly string[], env: NodeJS.ProcessEnv,
  meanwhile: (text: string, child: DemoProcess) => void = () => undefined): Promise<DemoRun> {
  const folder = await mkdtemp(path.join(tmpdir(), 'lehr-test-demo-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  // What was compiled for other tests need not be compiled again.
  const shared = { NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] };
  const child = spawn(process.execPath, words, { cwd: root, env: { ...shared, TMPDIR: folder, LANG: 'C.UTF-8', ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
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
