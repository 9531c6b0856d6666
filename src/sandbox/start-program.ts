import { spawn } from 'node:child_process';
import { setPriority } from 'node:os';
import type { Duplex, Readable } from 'node:stream';
import { errorTailBytes, killedWaitMs, mallocArenas, outputLimitBytes, outputWaitMs } from './bounds.ts';

/** A program to start: nothing of it is seen by a shell. */
export interface ProgramStart {
  /** What is started in the end, for whoever counts: `qemu-img`, whatever stands around it. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** What it inherits as 3, 4 …: a descriptor, a pipe that holds these bytes, or a pipe whose other end is told what comes. */
  readonly inherited: readonly (number | Uint8Array | ((text: string) => void))[];
  /** Gets what it prints on standard output, as it comes. */
  readonly onOutput?: (text: string) => void;
}

/** How a program ended by itself. */
export type ProgramEnding =
  | { readonly kind: 'exited'; readonly code: number; readonly errorTail: string }
  | { readonly kind: 'signaled'; readonly signal: string; readonly errorTail: string }
  /** It printed more than `outputLimitBytes` and was killed for it. */
  | { readonly kind: 'flooded' };

/** Is told the name of each program that is started. */
export type OnStart = (name: string) => void;

/**
 * Starts a program and waits for its end; every start of a program by the service goes through here. It runs in a process group of its
 * own, at the lowest priority, with standard input empty and nothing of our environment. Rejects with the signal's reason
 * when that aborts, after the whole group was killed; with the system's error where it cannot be started.
 */
export function startProgram(start: ProgramStart, onStart: OnStart, signal: AbortSignal): Promise<ProgramEnding> {
  signal.throwIfAborted();
  onStart(start.name);
  const child = spawn(start.command, start.args, {
    cwd: '/',
    env: { LC_ALL: 'C', MALLOC_ARENA_MAX: String(mallocArenas) },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', ...start.inherited.map((one) => (typeof one === 'number' ? one : 'pipe'))],
  });
  // Both are pipes, whether or not the program could be started.
  const stdout = child.stdout as Readable;
  const stderr = child.stderr as Readable;
  return new Promise((resolve, reject) => {
    let errorTail = '';
    let flooded = false;
    let wait: NodeJS.Timeout | undefined;
    const kill = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      } catch {
        // Nothing of the group is left.
      }
    };
    const stop = (): void => {
      kill();
      wait ??= setTimeout(() => settle(() => reject(signal.reason as Error)), killedWaitMs);
    };
    const settle = (outcome: () => void): void => {
      clearTimeout(wait);
      signal.removeEventListener('abort', stop);
      for (const stream of [stdout, stderr]) stream.destroy();
      outcome();
    };
    const bounded = (stream: Readable, take: (text: string) => void): void => {
      let bytes = 0;
      stream.on('error', () => undefined).on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes <= outputLimitBytes) return take(chunk.toString('latin1'));
        flooded = true;
        kill();
      });
    };
    bounded(stdout, (text) => start.onOutput?.(text));
    bounded(stderr, (text) => { errorTail = (errorTail + text).slice(-errorTailBytes); });
    start.inherited.forEach((one, index) => {
      if (typeof one === 'number') return;
      const pipe = (child.stdio[3 + index] as Duplex).on('error', () => undefined);
      if (typeof one === 'function') bounded(pipe, one);
      else pipe.end(one);
    });
    child.on('error', (error) => {
      if (child.pid === undefined) settle(() => reject(error));
    });
    child.on('exit', () => {
      // What it left behind, where no namespace takes that with it.
      kill();
      clearTimeout(wait);
      wait = setTimeout(() => { stdout.destroy(); stderr.destroy(); }, outputWaitMs);
    });
    child.on('close', (code, signalName) => settle(() => {
      if (signal.aborted) return reject(signal.reason as Error);
      if (flooded) return resolve({ kind: 'flooded' });
      resolve(signalName === null ? { kind: 'exited', code: code ?? 0, errorTail } : { kind: 'signaled', signal: signalName, errorTail });
    }));
    signal.addEventListener('abort', stop, { once: true });
    if (child.pid === undefined) return;
    try {
      setPriority(child.pid, 19);
    } catch {
      // It has ended already.
    }
  });
}
