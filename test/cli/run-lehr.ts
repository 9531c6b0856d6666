import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Writable } from 'node:stream';

import { runCli } from '../../src/cli/run-cli.ts';
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

/** Runs the command line to its end, as a process of its own: what only a process shows, such as that it ends. */
export function runProcess(args: readonly string[], options?: RunOptions): Promise<Ran> {
  const { child, ended } = startLehr(args, options);
  child.stdin?.end();
  return ended;
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs the command line to its end in this process, which takes a tenth of the time. One at a time, since a command sees the folder and
 * the variables of the whole process.
 */
export function runLehr(args: readonly string[], options: Omit<RunOptions, 'wrapper'> = {}): Promise<Ran> {
  const ran = last.then(() => runHere(args, options));
  last = ran.catch(() => undefined);
  return ran;
}

async function runHere(args: readonly string[], { cwd, env = {} }: Omit<RunOptions, 'wrapper'>): Promise<Ran> {
  const [folder, variables] = [process.cwd(), { ...process.env }];
  const printed: Record<'stdout' | 'stderr', Buffer[]> = { stdout: [], stderr: [] };
  const streamTo = (name: keyof typeof printed): Writable => new Writable({
    write(bytes: Buffer, _encoding, done) {
      printed[name].push(bytes);
      done();
    },
  });
  if (cwd !== undefined) process.chdir(cwd);
  Object.assign(process.env, env);
  try {
    // Beside these three the command line uses nothing of a process that it is given.
    const given = { stdout: streamTo('stdout'), stderr: streamTo('stderr'), env: process.env } as unknown as NodeJS.Process;
    const exitCode = await runCli(args, given);
    return { exitCode, stdout: Buffer.concat(printed.stdout).toString(), stderr: Buffer.concat(printed.stderr).toString() };
  } finally {
    process.chdir(folder);
    for (const name of Object.keys(env)) {
      if (name in variables) process.env[name] = variables[name];
      else Reflect.deleteProperty(process.env, name);
    }
  }
}
