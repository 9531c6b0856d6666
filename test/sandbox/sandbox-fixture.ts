import { mkdtempSync, openSync, closeSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { ExecutionContext } from 'ava';
import { programAt } from '../../src/sandbox/find-program.ts';
import { probeSandbox, serviceSandbox } from '../../src/sandbox/probe-sandbox.ts';
import type { RunSandboxed, Sandbox, SandboxEnding, SandboxFile } from '../../src/sandbox/sandbox.ts';

/** What this machine gives; where it is no full sandbox, one line on stderr says what is not tested. */
export const sandbox: Sandbox = await probeSandbox(serviceSandbox('required', () => undefined));
if (sandbox.kind !== 'full') process.stderr.write(`${sandbox.missing}; without it nothing runs in a sandbox\n`);

/** Whether the tests run as root, and programs in the sandbox so as another user. */
export const isRoot = process.getuid!() === 0;

/** The shell, as a program to look around with. */
export const shell = await programAt('/bin/sh', () => undefined);

/** A program that waits. */
export const sleep = await programAt('/bin/sleep', () => undefined);

/** A signal that never aborts. */
export const never = new AbortController().signal;

/** Two files in a folder that nobody else may enter: one to read with `content`, and an empty one to write. */
export function lentFiles(t: Pick<ExecutionContext, 'teardown'>, content: string): readonly [SandboxFile, SandboxFile] {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'lehr-sandbox-'));
  const [source, target] = [join(folder, 'source'), join(folder, 'target')];
  writeFileSync(source, content, { mode: 0o600 });
  writeFileSync(target, '', { mode: 0o600 });
  const fds = [openSync(source, 'r'), openSync(target, 'r+')] as const;
  t.teardown(() => {
    for (const fd of fds) closeSync(fd);
    rmSync(folder, { recursive: true });
  });
  return [
    { fd: fds[0], path: source, inside: '/source', access: 'read' },
    { fd: fds[1], path: target, inside: '/target', access: 'write' },
  ];
}

/** How a shell script ended, and what it printed. Its `$0` is `marker`. */
export async function runScript(
  run: RunSandboxed, script: string, files: readonly SandboxFile[] = [], fileBytes = 1 << 20, signal = never, marker = 'sh',
): Promise<{ readonly ending: SandboxEnding; readonly output: string }> {
  let output = '';
  const args = (names: readonly string[]): readonly string[] => ['-c', script, marker, ...names];
  const ending = await run({ program: shell, files, args, fileBytes, onOutput: (text) => { output += text; } }, signal);
  return { ending, output };
}

/** Looks every few milliseconds until `condition` holds, which costs a walk through /proc each time; the test's time-out is the bound. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setTimeout(5);
}

/** The ids of all processes that have `marker` in their command line, except this one. */
export function processesOf(marker: string): readonly number[] {
  return readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map(Number).filter((pid) => {
    try {
      return pid !== process.pid && readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(marker);
    } catch {
      return false;
    }
  });
}

/** The name of the program that a process runs. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'latin1').trim();
  } catch {
    return '';
  }
}
