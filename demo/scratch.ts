import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { DemoError } from './run-to-the-end.ts';

/** The service is given so long to stop before it is killed. */
const stopTimeoutMs = 8_000;

/** A folder, and what has been started: all of it is gone when the scope of `await using` is left, however it is left. */
export interface Scratch extends AsyncDisposable {
  readonly folder: string;
  /** Aborts when the demo is interrupted. */
  readonly signal: AbortSignal;
  /** Does this too on the way out; what came last goes first. */
  readonly leave: (undo: () => unknown) => void;
  /** Starts a program that does not outlive the scratch. */
  readonly start: (words: readonly string[], stdio: StdioOptions, env?: NodeJS.ProcessEnv) => ChildProcess;
}

/** Makes a folder of its own in the system's temporary folder, for the npm script of this name. */
export async function openScratch(name: string, signal: AbortSignal): Promise<Scratch> {
  const base = tmpdir();
  const folder = await mkdtemp(path.join(base, `lehr-${name}-`)).catch((cause: unknown) => {
    throw new DemoError(`no folder can be made in ${base}. Name another one: TMPDIR=/path npm run ${name}`, { cause });
  });
  // Node keeps compiled code here, so that each program starts faster than the one before.
  const compileCache = path.join(folder, 'compile-cache');
  const undo = new AsyncDisposableStack();
  undo.defer(() => rm(folder, { recursive: true, force: true }));
  return {
    folder,
    signal,
    leave: (work) => undo.defer(async () => { await work(); }),
    start: ([program = '', ...words], stdio, env) => {
      signal.throwIfAborted();
      // In a process group of its own: Ctrl-C reaches the demo alone, which then ends everything in order.
      const wholeEnv = { NODE_COMPILE_CACHE: compileCache, ...process.env, ...env };
      const child = spawn(program, words, { cwd: folder, stdio, env: wholeEnv, detached: true });
      signal.addEventListener('abort', () => signalGroup(child, 'SIGKILL'), { once: true });
      undo.defer(() => end(child));
      return child;
    },
    [Symbol.asyncDispose]: () => undo.disposeAsync(),
  };
}

/** Ends a program that runs: politely, unless it does not listen. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  signalGroup(child, 'SIGTERM');
  const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), stopTimeoutMs);
  await ended;
  clearTimeout(timer);
}

/** Sends a signal to a program and to what it has started; says whether there was one to get it. */
export function signalGroup({ pid = 0 }: ChildProcess, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(-pid, signal);
  } catch {
    return false; // It has just ended.
  }
}
