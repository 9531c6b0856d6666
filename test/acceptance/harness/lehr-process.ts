import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { lehrEntry } from '../../tooling/lehr-entry.ts';

/** Node keeps compiled code here, so that a server that is started for the second time is ready in half the time. */
const compileCacheFolder = process.env['NODE_COMPILE_CACHE'] ?? path.join(tmpdir(), 'lehr-test-compile-cache');

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** How a process ended. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of `lehr`. */
export interface LehrProcess {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when it has ended and all that it printed has come. */
  readonly ended: Promise<Exit>;
  /** Resolves as soon as what it printed on stdout or stderr matches; rejects, with both, when it ends before. */
  readonly printed: (pattern: RegExp) => Promise<RegExpExecArray>;
}

/** How a process is started. */
export interface ProcessOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A program, with its arguments, that runs the rest of the line. */
  readonly wrapper?: readonly string[];
}

/** Starts `lehr ARGS`. It dies with the test at the latest. */
export function startProcess(args: readonly string[], { cwd, env, wrapper = [] }: ProcessOptions = {}): LehrProcess {
  const [program = '', ...line] = [...wrapper, process.execPath, '--disable-warning=ExperimentalWarning', lehrEntry, ...args];
  const child = spawn(program, line, {
    cwd: cwd ?? tmpdir(),
    env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', NODE_COMPILE_CACHE: compileCacheFolder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  const ended = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => {
      running.delete(child);
      resolve({ code, signal });
    });
  });
  const printed = (pattern: RegExp): Promise<RegExpExecArray> => new Promise((resolve, reject) => {
    const look = (): void => {
      const match = pattern.exec(stdout) ?? pattern.exec(stderr);
      if (match !== null) resolve(match);
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    look();
    void ended.then(({ code, signal }) => {
      reject(new Error(`lehr ${args.join(' ')} ended with ${code ?? signal ?? ''} and printed no ${String(pattern)}:\n${stdout}${stderr}`));
    });
  });
  return { child, stdout: () => stdout, stderr: () => stderr, ended, printed };
}

/** What a command left behind. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `lehr ARGS` to its end. */
export async function runProcess(args: readonly string[], options?: ProcessOptions): Promise<Ran> {
  const started = startProcess(args, options);
  const { code } = await started.ended;
  return { code, stdout: started.stdout(), stderr: started.stderr() };
}
