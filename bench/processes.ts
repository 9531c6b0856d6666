import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A child process that has said that it is ready. */
export interface Ready {
  readonly child: ChildProcess;
  /** The line that it said. */
  readonly line: string;
  /** Resident memory now, and the most there ever was, in bytes. */
  readonly memory: () => { readonly residentBytes: number; readonly peakBytes: number };
  readonly stop: () => Promise<void>;
}

/** They end with this process, however it is ended by those in front of it. */
const running = new Set<ChildProcess>();
process.on('exit', () => { for (const child of running) child.kill('SIGKILL'); });

/** Starts a program and waits for its first line. Its errors go to ours. */
export async function startReady(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Ready> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
  running.add(child);
  child.once('exit', () => { running.delete(child); });
  const line = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => { reject(new Error(`${command} ${args.join(' ')} ended with ${code} before it was ready`)); });
  });
  return {
    child,
    line,
    memory() {
      const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
      const kib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? 0) * 1_024;
      return { residentBytes: kib('VmRSS'), peakBytes: kib('VmHWM') };
    },
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** Runs a shell command to its end; rejects when it fails. */
export async function runShell(command: string): Promise<void> {
  const child = spawn('bash', ['-c', `set -o pipefail; ${command}`], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`failed with ${code}: ${command}`);
}
