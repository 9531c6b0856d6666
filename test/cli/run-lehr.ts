import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { lehrEntry } from '../tooling/lehr-entry.ts';

/** A command that takes longer has hung. */
const commandTimeoutMs = 60_000;

/** What a command left behind. */
export interface Ran {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  /** Resolves as soon as stdout holds `text`; rejects when the command ends without it. */
  readonly untilPrinted: (text: string) => Promise<void>;
  readonly ended: Promise<Ran>;
}

/** Options beside the arguments. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** What runs instead of Node with the entry: a program that runs the rest of the line. */
  readonly wrapper?: readonly string[];
}

/** Starts the real command line as a process of its own. */
export function startLehr(args: readonly string[], options: RunOptions = {}): Running {
  const line = [...(options.wrapper ?? []), process.execPath, '--disable-warning=ExperimentalWarning', lehrEntry, ...args];
  const child = spawn(line[0] ?? '', line.slice(1), {
    cwd: options.cwd,
    env: {
      PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'], LANG: 'C.UTF-8', TERM: 'xterm', ...options.env,
    },
    timeout: commandTimeoutMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text; });
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text; });
  const ended = once(child, 'close').then(([exitCode]) => ({ exitCode: exitCode as number | null, stdout, stderr }));
  const untilPrinted = async (text: string): Promise<void> => {
    while (!stdout.includes(text)) {
      const isOver = await Promise.race([once(child.stdout, 'data').then(() => false), ended.then(() => true)]);
      if (isOver && !stdout.includes(text)) throw new Error(`ended without printing "${text}": ${stdout}${stderr}`);
    }
  };
  return { child, untilPrinted, ended };
}

/** Runs the command line to its end. */
export function runLehr(args: readonly string[], options?: RunOptions): Promise<Ran> {
  const { child, ended } = startLehr(args, options);
  child.stdin?.end();
  return ended;
}
